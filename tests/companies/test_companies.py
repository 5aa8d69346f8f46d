"""Signing up, changing the company, its slug."""

import asyncio
from uuid import uuid4

import pytest

from tests.people import Person
from vek1_api.core.db import Driver


async def _ensure(caller: Person, name: str, **more: str) -> tuple[int, dict[str, str]]:
    body = {"user_id": f"user-{uuid4().hex}", "name": name} | more
    response = await caller.request("POST", "/internal/company/ensure", json=body)
    return response.status_code, response.json()


async def test_signing_up_makes_a_company_whose_id_is_the_users(ana: Person) -> None:
    company = await ana.get("/v1/company")

    assert company["id"] == ana.user_id
    assert company["name"] == "Torrefação Serra Azul"
    assert company["slug"].startswith("torrefacao-serra-azul")
    assert company["settings"] == {}
    assert company["logo_url"] is None
    assert company["bucket_name"] == "vek1"


async def test_second_time_answers_the_company_that_is_there(ana: Person) -> None:
    before = await ana.get("/v1/company")

    status, company = await _ensure(ana, "Outro nome", user_id=ana.user_id, slug="x-y")

    assert status == 200
    assert company == before
    assert len(await ana.audit(action="company.created")) == 1


async def test_twice_at_once_makes_one_company(ana: Person) -> None:
    caller = Person(ana.http, f"user-{uuid4().hex}")
    name = f"Padaria {uuid4().hex}"

    answers = await asyncio.gather(
        *(_ensure(caller, name, user_id=caller.user_id) for _ in range(8))
    )

    assert sorted(status for status, _ in answers) == [200] * 7 + [201]
    assert len({company["slug"] for _, company in answers}) == 1
    assert len(await caller.audit(action="company.created")) == 1


async def test_companies_of_one_name_that_sign_up_at_once_get_slugs_of_their_own(
    ana: Person,
) -> None:
    name = f"Café {uuid4().hex}"

    answers = await asyncio.gather(*(_ensure(ana, name) for _ in range(8)))

    assert [status for status, _ in answers] == [201] * 8
    assert len({company["slug"] for _, company in answers}) == 8


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Açaí & Pão de Queijo do Zé", "acai-pao-de-queijo-do-ze"),
        ("ÁÉÍÓÚ ÂÊÔ ÃÕ Çà", "aeiou-aeo-ao-ca"),
        ("  --Loja_nº 1--  ", "loja-no-1"),
        ("\uff21\uff22 \u2460", "ab-1"),  # Wide letters, a number in a circle.
        ("L'Été", "l-ete"),
    ],
)
async def test_slug_is_the_name_folded(name: str, slug: str, ana: Person) -> None:
    mark = uuid4().hex[:8]

    status, company = await _ensure(ana, f"{name} {mark}")

    assert status == 201
    assert company["slug"] == f"{slug}-{mark}"


@pytest.mark.parametrize("name", ["🥐🍞", "咖啡店", "!!!", "Ω"])
async def test_name_without_letters_to_fold_gets_a_slug_all_the_same(
    name: str, ana: Person
) -> None:
    status, company = await _ensure(ana, name)

    assert status == 201
    assert company["name"] == name
    assert company["slug"].startswith("loja")


async def test_slug_is_never_longer_than_sixty_nor_malformed(ana: Person) -> None:
    mark = uuid4().hex[:10]
    # The 51st character, where room for a number is made, is a hyphen.
    names = [f"{mark}{'a' * 40} {'b' * 30}"] * 25 + [f"{mark} {'c' * 180}"] * 2

    slugs = [(await _ensure(ana, name))[1]["slug"] for name in names]

    assert len(set(slugs)) == len(slugs)
    assert max(len(slug) for slug in slugs) <= 60
    assert all("--" not in slug and slug.strip("-") == slug for slug in slugs), slugs


async def test_slug_of_ones_choice_that_is_taken_makes_no_company(ana: Person) -> None:
    slug = (await ana.get("/v1/company"))["slug"]
    stranger = Person(ana.http, f"user-{uuid4().hex}")

    status, problem = await _ensure(ana, "Outra", user_id=stranger.user_id, slug=slug)

    assert status == 409
    assert problem["code"] == "slug_taken"
    assert (await stranger.request("GET", "/v1/company")).status_code == 404
    assert await stranger.audit() == []


async def test_taken_slug_changes_nothing_and_a_free_one_frees_the_old(
    ana: Person, bruno: Person
) -> None:
    hers, his = await ana.get("/v1/company"), await bruno.get("/v1/company")
    new = f"nova-{uuid4().hex}"

    refused = await ana.request(
        "PATCH", "/v1/company", json={"slug": his["slug"], "name": "Outra"}
    )
    assert refused.status_code == 409
    assert refused.json()["code"] == "slug_taken"
    assert await ana.get("/v1/company") == hers

    assert (await ana.patch("/v1/company", {"slug": new}))["slug"] == new
    assert (await ana.patch("/v1/company", {"slug": new}))["slug"] == new
    assert (await bruno.patch("/v1/company", {"slug": hers["slug"]}))["slug"] == hers[
        "slug"
    ]


async def test_slug_of_a_company_that_the_front_end_wrote_itself_is_taken(
    ana: Person, db: Driver
) -> None:
    slug = f"drizzle-{uuid4().hex}"
    await db.execute(
        "INSERT INTO company_profiles (id, name, slug) VALUES ($1, 'Direta', $1)", slug
    )

    changed = await ana.request("PATCH", "/v1/company", json={"slug": slug})
    status, problem = await _ensure(ana, "Outra", slug=slug)

    assert (changed.status_code, changed.json()["code"]) == (409, "slug_taken")
    assert (status, problem["code"]) == (409, "slug_taken")


async def test_settings_are_replaced_whole_and_audited(ana: Person) -> None:
    await ana.patch("/v1/company", {"settings": {"orders": {"draft_ttl_minutes": 60}}})

    changed = await ana.patch("/v1/company", {"settings": {"lead_statuses": ["vip"]}})

    assert changed["settings"] == {"lead_statuses": ["vip"]}
    assert (await ana.patch("/v1/company", {"settings": None}))["settings"] is None
    entries = await ana.audit(action="company.updated")
    assert [entry["meta"]["changes"]["settings"] for entry in entries] == [
        [{"lead_statuses": ["vip"]}, None],
        [{"orders": {"draft_ttl_minutes": 60}}, {"lead_statuses": ["vip"]}],
        [{}, {"orders": {"draft_ttl_minutes": 60}}],
    ]


async def test_change_that_changes_nothing_is_no_entry(ana: Person) -> None:
    company = await ana.get("/v1/company")

    assert await ana.patch("/v1/company", {}) == company
    await ana.patch("/v1/company", {"name": company["name"]})

    assert await ana.audit(action="company.updated") == []


async def test_id_and_bucket_cannot_be_written(ana: Person) -> None:
    for field in ("id", "bucket_name", "logo_url", "created_at"):
        response = await ana.request("PATCH", "/v1/company", json={field: "x"})
        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == f"/{field}"
