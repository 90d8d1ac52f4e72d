"""The ledger: older settings and rates by their digests, kept on this machine so that a later diff can use them again.

It lies under `.ecomkit/ledger/` and is never published.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ecomkit import shop as shops
from ecomkit.errors import EcomkitError
from ecomkit.report.made_from import digest, sections_of, settings_digest
from ecomkit.settings import Settings, load_settings
from ecomkit.whole_files import appearing_whole

# What stands for settings and rates: the digest of each section of shop.toml, and that of the file of rates.
Rules = tuple[Mapping[str, str], str | None]
# Where the shop lies: reports name no folder.
_FOLDER = "folder.txt"


def remember(folder: Path) -> Rules:
    """Keep a shop's settings and rates as they are now, and return their digests.

    What the ledger has already is not written again. Each file appears whole or not at all, whoever else keeps the
    same one at this moment.
    """
    path = folder / "shop.toml"
    settings, rates = path.read_text(encoding="utf-8"), load_settings(path).rates
    sections = sections_of(settings)
    _keep(_settings_file(folder, sections), settings)
    _keep(_ledger(folder) / _FOLDER, str(folder))
    if rates is None:
        return sections, None
    table = rates.read_text(encoding="utf-8")
    _keep(_rates_file(folder, digest(table)), table)
    return sections, digest(table)


def folder_of(place: str) -> Path | None:
    """Return the folder of the one shop of this name that reports were made of here, None where not one is."""
    told = (shops.STORE / "ledger").glob(f"*/{_FOLDER}")
    folders = {Path(one.read_text(encoding="utf-8")) for one in told}
    found = [folder for folder in folders if folder.name == place and (folder / "shop.toml").is_file()]
    return found[0] if len(found) == 1 else None


def remembered(folder: Path, sections: Mapping[str, str], rates: str | None) -> Settings:
    """Return the settings with these digests, and in them the rates of that one.

    Parameters
    ----------
    folder
        The shop's folder, from which the settings' paths are read.
    sections
        The digest of each section of shop.toml.
    rates
        The digest of the file of rates, None for no rates at all.

    Raises
    ------
    EcomkitError
        If the ledger lacks either: that report was made on another machine, or by an older kit.
    """
    settings, table = _settings_file(folder, sections), None if rates is None else _rates_file(folder, rates)
    lacks = [name for name, file in (("settings", settings), ("rates", table)) if file and not file.is_file()]
    if lacks:
        raise EcomkitError(
            f"The {' and '.join(lacks)} of then are not on this machine. "
            "Run `ecomkit diff` where the reports were made to tell these causes apart."
        )
    return replace(load_settings(settings, folder=folder), rates=table)


def _settings_file(folder: Path, sections: Mapping[str, str]) -> Path:
    return _ledger(folder) / f"settings-{settings_digest(sections)}.toml"


def _rates_file(folder: Path, of: str) -> Path:
    return _ledger(folder) / f"rates-{of}.csv"


def _ledger(folder: Path) -> Path:
    return shops.STORE / "ledger" / shops.shop_key(folder)


def _keep(target: Path, text: str) -> None:
    if target.is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with appearing_whole(target) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
