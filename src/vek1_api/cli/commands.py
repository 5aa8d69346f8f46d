"""What each command does; the docstrings are the help."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from vek1_api.cli import doctor as examination, serving
from vek1_api.cli.errors import CommandError
from vek1_api.cli.finding import connected, found_api, found_settings, require_migrated
from vek1_api.core import logging
from vek1_api.core.schema import migrate as migrate_database
from vek1_api.demo.seed import QUESTION, seed as seed_shop
from vek1_api.documents.reembed import reembed as reembed_documents
from vek1_api.embedded import running
from vek1_api.embedded.screen import Screen
from vek1_api.opening import database_url, open_resources
from vek1_api.settings import get_settings

app = typer.Typer(
    name="vek1-api",
    help="The backend behind AI sales agents of small Brazilian merchants.\n\n"
    "On your machine, `vek1-api run` is all that you need. In production, start `migrate` once "
    "per release, then any number of `api` and `worker`. Settings are environment variables "
    "with the prefix VEK1_; the README lists them.",
    rich_markup_mode="markdown",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def run() -> None:
    """Start everything on this machine: Postgres, object store, model, API, worker, demo shop.

    Needs nothing. What VEK1_DATABASE_URL or VEK1_S3_ENDPOINT point to is used instead of the
    embedded part. What dies is started again; Ctrl-C stops all of it, and what is stored
    stays in VEK1_DATA_DIR, where `endpoints.json` says where each part listens.

    Try, for a second one beside the first:

        VEK1_PORT=8001 VEK1_DATA_DIR=.vek1-b vek1-api run
    """
    running.run(get_settings(), Screen())


@app.command()
def api(
    *,
    share_port: Annotated[
        bool,
        typer.Option(help="Let several `api` processes listen on the same port."),
    ] = False,
) -> None:
    """Serve HTTP on VEK1_HOST and VEK1_PORT, in one process.

    Needs VEK1_DATABASE_URL (migrated), the VEK1_S3_ settings and, in production, every secret.
    Stops on SIGTERM when the requests that have begun are answered.

    Try:

        VEK1_HOST=0.0.0.0 VEK1_PORT=8000 vek1-api api
    """
    settings = get_settings()
    asyncio.run(serving.require_everything(settings))
    serving.serve(settings, share_port=share_port)


@app.command()
def worker() -> None:
    """Run due jobs: indexing of documents, clean-up, healing of the database.

    Needs what `api` needs. Any number may run at once; one that is killed loses nothing:
    another takes its jobs after 20 seconds. Stops on SIGTERM when its jobs are done.

    Try:

        vek1-api worker
    """
    settings = get_settings()
    logging.configure(settings.log_level)
    asyncio.run(serving.work(settings))


@app.command()
def migrate() -> None:
    """Create, adopt or update the database, and build what indexes are missing.

    Needs VEK1_DATABASE_URL, or a `run` that is alive in VEK1_DATA_DIR. Works on an empty
    database, on one that the front end's Drizzle made, with rows in it, and on one that is up
    to date; safe to run twice at once.

    Try:

        VEK1_DATABASE_URL=postgresql://vek1:...@db/vek1 vek1-api migrate
    """

    async def work() -> None:
        async with connected(settings):
            pass  # An unreachable database is one line, before anything else is said.
        await migrate_database(database_url(settings), typer.echo)

    settings = found_settings()
    asyncio.run(work())


@app.command()
def doctor(
    *,
    fix: Annotated[
        bool,
        typer.Option("--fix", help="Put right what can be: indexes, triggers, policy."),
    ] = False,
    recount: Annotated[
        bool,
        typer.Option(
            "--recount",
            help="With --fix: set leads' counters to what their orders and messages give.",
        ),
    ] = False,
    balance: Annotated[
        bool,
        typer.Option(
            "--balance",
            help="With --fix: write the movements of stock that the ledger lacks.",
        ),
    ] = False,
) -> None:
    """Examine database, bucket and embedding model; exit with 1 when something is wrong.

    Needs VEK1_DATABASE_URL and the VEK1_S3_ settings, or a `run` that is alive in
    VEK1_DATA_DIR. Without `--fix` it changes nothing.

    Try:

        vek1-api doctor --fix
    """
    for flag, is_set in (("--recount", recount), ("--balance", balance)):
        if is_set and not fix:
            message = f"{flag} changes rows: say --fix {flag}."
            raise CommandError(message)
    settings = found_settings()
    checks = asyncio.run(
        examination.examine(
            settings, fix=fix, recount=recount, balance=balance, report=typer.echo
        )
    )
    Console().print(examination.table_of(checks))
    if any(check.problems for check in checks):
        raise typer.Exit(1)


@app.command()
def reembed() -> None:
    """Turn every document into vectors again, after the embedding model has changed.

    Needs what `worker` needs, or a `run` that is alive in VEK1_DATA_DIR. Search goes on with
    the old vectors until the new ones are there. May be stopped and started again.

    Try:

        VEK1_EMBEDDER=sentence-transformers vek1-api reembed
    """

    async def work() -> None:
        await require_migrated(settings)
        resources = open_resources(settings, application_name="vek1-reembed")
        try:
            await resources.embedder.ready()
            with Screen().bar(f"documents, with {resources.embedder.model}") as advance:
                await reembed_documents(resources, progress=advance)
        finally:
            await resources.close()

    settings = found_settings()
    asyncio.run(work())


@app.command()
def seed() -> None:
    """Make the demo shop through the API, or what is missing of it, and show what to ask it.

    Needs an API with a worker: the `run` that is alive in VEK1_DATA_DIR, else VEK1_PUBLIC_URL
    with VEK1_SERVICE_TOKENS.

    Try:

        vek1-api seed
    """
    settings = found_settings()
    if not settings.demo:
        message = "VEK1_DEMO is false: this deployment wants no demo shop."
        raise CommandError(message)
    address, token = found_api(settings)
    screen = Screen()
    with screen.bar("demo shop, indexed") as advance:
        demo = asyncio.run(seed_shop(address, token, advance))
    screen.say(f"\nAsk it: {QUESTION}\n")
    screen.say(demo.curl(address, token))
