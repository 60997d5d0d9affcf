"""Two exports of a shop that is not the sample's: other names, separator, encoding and zone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ZONE = "America/New_York"
STEPS = ["Produkt angesehen", "Warenkorb", "Kasse", "Kauf abgeschlossen"]


def draw_clicks(*, customers: int, seed: int) -> pd.DataFrame:
    """Draw visits of one quarter: a start page, then as many steps as luck gives, sometimes the help page."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2026-04-01", tz=ZONE)
    rows = []
    for number in range(customers):
        for _ in range(1 + rng.poisson(3)):
            at = start + pd.Timedelta(minutes=int(rng.integers(0, 90 * 24 * 60)))
            names = ["Startseite", *STEPS[: int(rng.choice(5, p=[0.2, 0.35, 0.2, 0.1, 0.15]))]]
            names += ["Hilfe"] * int(rng.random() < 0.1)
            device = "Handy" if rng.random() < 0.6 else "Rechner"
            for name in names:
                rows.append((at, f"K{number:04d}" if rng.random() > 0.05 else "", name, device))
                at += pd.Timedelta(seconds=int(rng.integers(5, 900)))
    rows.append((pd.Timestamp("2026-06-30 23:30", tz=ZONE), "K0000", "Startseite", "Handy"))
    frame = pd.DataFrame(rows, columns=["at", "Kundennummer", "Aktion", "Gerät"])
    frame = frame[frame["at"] <= rows[-1][0]].sample(frac=1, random_state=seed)
    local = frame["at"].map(lambda at: at.tz_convert(ZONE).strftime("%d.%m.%Y %H:%M:%S"))
    return frame.assign(at=local).rename(columns={"at": "Zeitpunkt"})


def draw_survey(clicks: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    asked = sorted(set(clicks["Kundennummer"]) - {""})[::2]
    days = pd.Timestamp("2026-04-20 12:00") + pd.to_timedelta(rng.integers(0, 65 * 24, len(asked)), unit="h")
    return pd.DataFrame(
        {
            "Abgeschickt am": days.strftime("%d.%m.%Y %H:%M"),
            "Kundennummer": [f"X{n}" if n % 20 == 0 else who for n, who in enumerate(asked)],
            "Empfehlung": rng.choice([*range(11), "k.A."], len(asked)),
            "Zufrieden insgesamt": rng.integers(1, 6, len(asked)),
            "Zufrieden Kasse": rng.choice([1, 2, 3, 4, 5, 6], len(asked), p=[0.2, 0.2, 0.2, 0.2, 0.1, 0.1]),
            "Größe": rng.choice(["klein", "groß"], len(asked)),
        }
    )


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with klicks.csv (semicolons, UTF-8) and umfrage.csv (semicolons, cp1252)."""
    folder = tmp_path_factory.mktemp("shop")
    clicks = draw_clicks(customers=160, seed=5)
    text = clicks.to_csv(index=False, sep=";", lineterminator="\r\n")
    # Three rows that are to be set aside: no such day, no name, a cell too many.
    text += "31.06.2026 10:00:00;K0001;Hilfe;Handy\r\n01.06.2026 10:00:00;K0001;;Handy\r\n"
    text += "01.06.2026 10:00:00;K0001;Hilfe;Handy;9\r\n"
    (folder / "klicks.csv").write_bytes(text.encode())
    survey = draw_survey(clicks, seed=6)
    (folder / "umfrage.csv").write_bytes(survey.to_csv(index=False, sep=";").encode("cp1252"))
    return folder
