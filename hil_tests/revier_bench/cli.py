# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""`revier-bench`: the developer's command. Exit codes: 0 it holds, 1 it does not, 2 wrong use."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from revier_bench.measure.registry import MEASUREMENTS, run

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Demo, worlds, measurements.")


@app.command()
def demo(  # noqa: PLR0913, PLR0917 - one parameter an option
    for_: Annotated[
        str | None, typer.Option("--for", help="end by itself after this long, e.g. 60s, 5m")
    ] = None,
    headless: Annotated[
        bool, typer.Option(help="no dashboard: progress lines and a table")
    ] = False,
    kill_gateway: Annotated[
        int, typer.Option(min=0, max=100, help="SIGKILL the gateway this many times on the way")
    ] = 0,
    seed: Annotated[str | None, typer.Option(help="repeat a run exactly")] = None,
    start: Annotated[
        str | None, typer.Option(help="where the world's history begins, e.g. 2026-05-04T00:00:00Z")
    ] = None,
    hours: Annotated[float, typer.Option(min=0, max=240, help="history before live")] = 24.0,
    network_server: Annotated[
        str,
        typer.Option(help="'stand-in', or 'external': a real ChirpStack, wall speed, no history"),
    ] = "stand-in",
    mqtt: Annotated[
        str | None, typer.Option(help="HOST:PORT of the external network server's broker")
    ] = None,
    grpc: Annotated[str | None, typer.Option(help="HOST:PORT of the external API")] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="file with an API token of the external ChirpStack")
    ] = None,
    keep: Annotated[
        bool, typer.Option(help="keep the run's folder with logs and database")
    ] = False,
    provisioned: Annotated[
        bool, typer.Option(help="nodes come ready from elsewhere: no empty chips are flashed")
    ] = False,
) -> None:
    """Run the whole chain on this machine: nodes, air, network server, gateway, feed, page."""
    from revier_bench.demo.options import OptionError, parse
    from revier_bench.demo.run import run_demo

    try:
        options = parse(
            for_=for_, headless=headless, kill_gateway=kill_gateway, seed=seed, start=start,
            hours=hours, network_server=network_server, mqtt=mqtt, grpc=grpc,
            token_file=token_file, keep=keep, provisioned=provisioned,
        )  # fmt: skip
    except OptionError as error:
        raise typer.BadParameter(str(error)) from error
    raise typer.Exit(run_demo(options))


def _show(console: Console, result: dict[str, Any]) -> None:
    rows = result.get("rows") or []
    if rows:
        table = Table(title=result["name"])
        for key in rows[0]:
            table.add_column(str(key), justify="left" if isinstance(rows[0][key], str) else "right")
        for row in rows:
            table.add_row(*(str(value) for value in row.values()))
        console.print(table)
    verdict = "holds" if result["holds"] else "DOES NOT HOLD"
    figure = f"{result['name']}: {result['value']} {result['unit']}"
    console.print(f"{figure}, budget {result['budget']}: {verdict}")
    for name, peer in (result["peer"] or {}).items():
        console.print(f"  peer {name}: {peer}")


def _range(seeds: str) -> range:
    first, colon, last = seeds.partition(":")
    if not (colon and first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        raise typer.BadParameter(f"--seeds {seeds}: give FIRST:LAST, e.g. 0:999")
    return range(int(first), int(last) + 1)


@app.command()
def measure(
    names: Annotated[list[str] | None, typer.Argument(help=", ".join(MEASUREMENTS))] = None,
    json_: Annotated[bool, typer.Option("--json", help="last line is one JSON object")] = False,
    all_: Annotated[bool, typer.Option("--all", help="every measurement")] = False,
    seeds: Annotated[
        str | None, typer.Option(help="FIRST:LAST, for a measurement that takes seeds")
    ] = None,
) -> None:
    """Print figures beside their budget and a peer's."""
    chosen = list(MEASUREMENTS) if all_ else names or []
    unknown = [name for name in chosen if name not in MEASUREMENTS]
    if unknown or not chosen:
        raise typer.BadParameter(
            f"unknown {unknown}; there are: {', '.join(MEASUREMENTS)}, or --all"
        )
    console = Console()
    held = True
    for name in chosen:
        result = run(name, _range(seeds) if seeds else None)
        _show(console, result)
        held = held and bool(result["holds"])
        if json_:
            print(json.dumps({key: value for key, value in result.items() if key != "rows"}))
    raise typer.Exit(0 if held else 1)


@app.command()
def firmware(
    out: Annotated[Path, typer.Option(help="folder, or file that ends in .zip")] = Path(),
) -> None:
    """Build the firmware as a bundle for revier-provision; sign it there."""
    from revier_bench import firmware_release
    from revier_provision.update.firmware_bundle import packed

    built = firmware_release.build()
    path = out if out.suffix == ".zip" else out / f"revier-firmware-{built.version}.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed(built))
    print(f"{path}: version {built.version}, {len(built.slot_files)} files, {built.tree_sha256}")


def main() -> None:
    """Entry point of the console script."""
    app()
