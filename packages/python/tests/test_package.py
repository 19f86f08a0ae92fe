"""The package as a whole."""

from __future__ import annotations

import fauxfax


def test_every_name_of_the_package_is_there() -> None:
    assert sorted(fauxfax.__all__) == sorted(fauxfax._MODULES)
    assert all(getattr(fauxfax, name) is not None for name in fauxfax.__all__)
    assert set(fauxfax.__all__) <= set(dir(fauxfax))
    assert not hasattr(fauxfax, "Emulater")
