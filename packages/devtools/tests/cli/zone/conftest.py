"""An emulator and a program for the verbs of `wwspec zone`."""

from tests.support.emulator import module_zone as module_zone, zone as zone
