"""How fast a procedure is simulated: instances, events and facts a second, and where the time goes.

Run: python benchmarks/simulate.py [instances]
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import time

from svcflow.model.catalog import Catalog
from svcflow.simulate import simulate


def main(instances: int = 3_000) -> None:
    catalog = Catalog.shipped()
    for procedure in catalog:
        for scenario in (s for s in catalog.scenarios.values() if s.procedure == procedure.id):
            count = min(instances, 600) if procedure.id == "complaint" else instances  # its calendar ends
            start = simulate(procedure, count, 1, scenario=scenario).started_at
            began = time.perf_counter()
            result = simulate(procedure, count, 1, scenario=scenario, start=start)
            took = time.perf_counter() - began
            facts = sum(map(len, result.journals().values()))
            print(
                f"{scenario.id:28} {count / took:8,.0f} instances/s {result.events / took:9,.0f} events/s "
                f"{facts / took:9,.0f} facts/s"
            )
    profile = cProfile.Profile()
    profile.runcall(simulate, catalog["repair"], instances, 1, scenario=catalog.scenarios["repair_usual"])
    stats = pstats.Stats(profile)
    whole = stats.get_stats_profile()
    for name in ("transact", "_begin", "choose_exit", "of", "begin", "_fire", "_result"):
        print(f"{name:12} {whole.func_profiles[name].cumtime / whole.total_tt:6.1%} of the time, cumulative")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
