# SPDX-License-Identifier: GPL-2.0-only
"""What is read out of command.c is what stands there."""
from __future__ import annotations

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import commands  # noqa: E402

TABLE = """om_ioctls[] = {
    OM_IOCTL(TCGETS, OM_SEG_OUT, struct termios),
    OM_IOCTL(SIOCGIFNAME, OM_SEG_IN | OM_SEG_OUT,
         struct ifreq),
    OM_IOCTL_VALUE(FIOCLEX),
};
    OM_IOCTL_VALUE(FIONCLEX),
"""
SWITCH = """static int om_add_some(struct om_request *r, u32 cmd, u64 arg)
{
    if (!cmd)
        return -EFAULT;
    switch (cmd) {
    case PLAIN:    /* not case OTHER: */
    case ALSO_PLAIN:
        return 0;
    case GETS:
        return om_add(r, arg, sizeof(struct flock),
                  OM_SEG_IN | OM_SEG_OUT, 0);
    case NAMED: {
        if (!arg)
            return -EFAULT;
        return om_add(r, arg[3], TASK_COMM_LEN, OM_SEG_IN, 0);
    }
    default:
        return -EOPNOTSUPP;
    }
}
"""
OPTIONS = """static bool om_plain_option(int level, int option)
{
    switch (level) {
    case SOL_ONE:
        return option != FIRST &&
               option != SECOND;
    case SOL_TWO:
    case SOL_THREE:
        return option < 64;
    case SOL_FIVE:
        return option < 64 && option != FIRST &&
               option != SECOND;
    case SOL_FOUR:
        return true;
    default:
        return false;
    }
}
"""


class Commands(unittest.TestCase):
    def test_the_table_of_ioctl(self) -> None:
        self.assertEqual(commands.ioctls(TABLE), {
            "TCGETS": "struct termios out", "SIOCGIFNAME": "struct ifreq in, out",
            "FIOCLEX": "nothing"})

    def test_a_command_stands_in_the_table_once(self) -> None:
        with self.assertRaises(ValueError):
            commands.ioctls(TABLE.replace("FIOCLEX", "TCGETS", 1))

    def test_a_switch(self) -> None:
        self.assertEqual(commands.choices(SWITCH), {
            "PLAIN": "nothing", "ALSO_PLAIN": "nothing", "GETS": "struct flock in, out",
            "NAMED": "a name of 16 bytes in"})

    def test_what_has_no_words_is_refused(self) -> None:
        for old, new in (("TASK_COMM_LEN", "other_len"), ("return 0", "return om_other(r)"),
                         ("OM_SEG_IN, 0", "OM_SEG_IN, 1")):
            with self.subTest(new=new), self.assertRaises(ValueError):
                commands.choices(SWITCH.replace(old, new))
        with self.assertRaises(ValueError):
            commands.options(OPTIONS.replace("< 64", "> 64"))
        with self.assertRaises(ValueError):
            commands.function(SWITCH, "om_add_other")

    def test_options(self) -> None:
        self.assertEqual(commands.options(OPTIONS), {
            "SOL_ONE": "all but FIRST and SECOND", "SOL_TWO": "those below 64",
            "SOL_THREE": "those below 64", "SOL_FOUR": "all",
            "SOL_FIVE": "those below 64 but FIRST and SECOND"})

    def test_every_one_of_the_file_is_found(self) -> None:
        source = commands.SOURCE.read_text()
        known = commands.known(source)
        found = {name for travels in known.values() for name in travels}
        self.assertGreater(len(found), 110)
        # However it is written there.
        code = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
        written = set(re.findall(r"OM_IOCTL(?:_VALUE)?\((\w+)", code))
        written |= set(re.findall(r"\bcase (\w+):", code))
        written -= {"nr"} | set(commands.options(source))
        self.assertEqual(found, {name for name in written if not name.startswith("__NR_")})
        self.assertEqual(known["fcntl"]["F_GETLK"], "struct flock in, out")
        self.assertEqual(known["prctl"]["PR_SET_NAME"], "a name, up to 16 bytes in")

    def test_each_call_with_commands_is_one_of_them(self) -> None:
        source = commands.SOURCE.read_text()
        calls = set(re.findall(r"case __NR_(\w+):\s*return om_(?:add|check)_(?:ioctl|fcntl|prctl|"
                               r"futex|semctl)\(", source))
        self.assertEqual(calls, set(commands.known(source)))

    def test_the_word_of_a_futex_travels_with_each_of_them(self) -> None:
        text = commands.function(commands.SOURCE.read_text(), "om_add_futex")
        self.assertIn("om_add(r, arg[0], sizeof(u32), both, 0);", text[:text.index("switch (")])


if __name__ == "__main__":
    unittest.main()
