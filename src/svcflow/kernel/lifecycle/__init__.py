"""What happens to an instance besides its moves: assignment, deviations, delegation, migration."""
