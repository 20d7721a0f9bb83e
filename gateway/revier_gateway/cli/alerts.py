# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""revier-gateway alerts."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from revier_gateway.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    database,
    print_json,
    read_config,
    show,
    stop,
    table_of,
)

app = typer.Typer(no_args_is_help=True, help="What is wrong now, and maintenance windows.")

SPAN = re.compile(r"^(\d{1,4})(min|h|d)$")
SPAN_S = {"min": 60, "h": 3600, "d": 86_400}
WINDOW_MAX_S = 90 * 86_400


@app.command("list")
def alerts_list(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """What is raised, since when, and what is silenced."""
    from revier_gateway.alerts import texts
    from revier_gateway.alerts.rules import RULES
    from revier_gateway.watch import rows

    settings = read_config(config)
    now_ms = _now_ms()
    with database(settings) as db:
        silences = rows.read_silences(db, now_ms)
        alerts = [one for one in rows.read_book(db).values() if one.state == "raised"]
    if json:
        print_json({"alerts": alerts, "silences": silences})
        return
    table = table_of("since", "severity", "alert", "what", "told", whole=("alert",))
    for alert in sorted(alerts, key=lambda one: one.since_ms):
        quiet = any(silence.covers(alert, now_ms) for silence in silences)
        table.add_row(
            _shown(alert.since_ms),
            RULES[alert.rule].severity,
            alert.rule,
            Text(texts.title(alert, settings.alerts.language)),
            "silenced" if quiet else "yes" if alert.told else "not yet",
        )
    show(table, "Nothing is wrong.")
    if silences:
        windows = table_of("id", "alert", "subject", "until", "why", title="Maintenance windows")
        for one in silences:
            windows.add_row(
                str(one.id), one.rule, Text(one.subject), _shown(one.until_ms), Text(one.why)
            )
        show(windows)


@app.command("silence")
def alerts_silence(
    span: Annotated[str, typer.Option("--for", help="How long: 30min, 4h, 2d.")],
    rule: Annotated[str, typer.Option(help="The alert's name, or * for all.")] = "*",
    subject: Annotated[str, typer.Option(help="Asset, radio gateway, or * for all.")] = "*",
    why: Annotated[str, typer.Option(help="For those who ask later.")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Begin a maintenance window now. What is still wrong at its end is told then."""
    from revier_gateway.alerts.rules import RULES

    match = SPAN.match(span)
    if match is None or not 0 < int(match[1]) * SPAN_S[match[2]] <= WINDOW_MAX_S:
        raise stop(f"--for {span}: write a number and min, h or d, e.g. 4h; at most 90d.")
    if rule != "*" and rule not in RULES:
        raise stop(f"--rule {rule}: known are {', '.join(RULES)} and *.")
    now_ms = _now_ms()
    until_ms = now_ms + int(match[1]) * SPAN_S[match[2]] * 1000
    with database(read_config(config)) as db:
        sql = "INSERT INTO silence (rule, subject, since_ms, until_ms, why) VALUES (?, ?, ?, ?, ?)"
        row = db.execute(sql, (rule, subject, now_ms, until_ms, why[:300]))
    if json:
        print_json({"id": row.lastrowid, "rule": rule, "subject": subject, "until_ms": until_ms})
        return
    typer.echo(f"Window {row.lastrowid} until {_shown(until_ms)}.")


@app.command("unsilence")
def alerts_unsilence(
    number: Annotated[int, typer.Argument(help="The window's id in `alerts list`.")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """End a maintenance window now."""
    with database(read_config(config)) as db:
        gone = db.execute("DELETE FROM silence WHERE id = ?", (number,)).rowcount
    if not gone:
        raise stop(f"No window {number}; see: revier-gateway alerts list")
    if json:
        print_json({"id": number})
        return
    typer.echo(f"Window {number} is over.")


def _now_ms() -> int:
    return int(time.time() * 1000)


def _shown(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
