# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""`python -m revier_bench.network_server`; see the package for what it does."""

import logging
import signal
import sys
from types import FrameType

from revier_bench.network_server import options
from revier_bench.network_server.service import Service


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    service = Service(options.read())

    def stop(_signal: int, _frame: FrameType | None) -> None:
        service.is_stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        service.run()
    except OSError as error:
        logging.getLogger("revier_bench.network_server").error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
