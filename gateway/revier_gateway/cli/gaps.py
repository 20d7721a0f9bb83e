# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-gateway gaps."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from revier_gateway.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    database,
    filtered,
    minute,
    print_json,
    read_config,
    show,
    table_of,
)


def gaps(
    config: ConfigOption = DEFAULT_CONFIG,
    asset: Annotated[str | None, typer.Option(help="Of this asset only.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Still missing only.")] = False,
    limit: int = 100,
    json: JsonOption = False,
) -> None:
    """Frames that nobody heard, newest first, with cause and what became of them."""
    rows = _rows(read_config(config), asset, open_, limit)
    if json:
        print_json([_told(row) for row in rows])
        return
    columns = ("declared, UTC", "asset", "device", "fCnt", "frames", "readings", "cause", "state")
    table = table_of(*columns, whole=("declared, UTC", "device"))
    for row in map(_told, rows):
        known = row["readings"] is not None
        table.add_row(
            minute(row["declared"]), row["asset"], row["device"], _numbers(row["f_cnt"]),
            str(row["frames"]) if row["f_cnt"] else "?", str(row["readings"]) if known else "?",
            row["cause"], f"{row['state']}{', confirmed' if row['confirmed'] else ''}",
        )  # fmt: skip
    show(table, "Nothing is missing.")


def _numbers(f_cnt: list[int] | None) -> str:
    """Without numbers: the device joined anew before it was heard again."""
    if f_cnt is None:
        return "joined anew"
    first, last = f_cnt
    return str(first) if first == last else f"{first}..{last}"


def _rows(config: Any, asset: str | None, open_: bool, limit: int) -> Any:
    from revier_gateway.gaps.register import read

    where, values = filtered(asset=asset, state="missing" if open_ else None)
    with database(config) as db:
        return read(db, f"{where} ORDER BY number DESC LIMIT ?", [*values, limit])


def _told(row: Any) -> dict[str, Any]:
    from revier_gateway.gaps.frames import JOINED
    from revier_gateway.values import instant_of_ms

    return {
        "id": row.id,
        "asset": row.asset,
        "ags": row.ags,
        "device": row.dev_eui,
        "state": row.state,
        "cause": row.cause,
        "from": instant_of_ms(row.after_ms),
        "to": instant_of_ms(row.before_ms),
        "f_cnt": None if row.f_cnt_first == JOINED else [row.f_cnt_first, row.f_cnt_last],
        "frames": row.frames,
        "readings": row.readings,
        "seq": [row.seq_first, row.seq_last] if row.seq_first is not None else None,
        "confirmed": bool(row.confirmed),
        "declared": instant_of_ms(row.declared_ms),
        "closed": instant_of_ms(row.closed_ms) if row.closed_ms is not None else None,
    }
