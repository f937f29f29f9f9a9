"""Settings files and rule packs with one mistake each, and the key that an answer has to name.

Not here: which part answers, and how.
"""

from importlib.resources import files
from typing import NamedTuple

GATEWAY_SETTINGS = """
gateway = "home-01"
data = "data"
timezone = "Asia/Shanghai"
[broker]
port = 1
[[resident]]
id = "r-0001"
spo2_limit_percent = 88
[[device]]
id = "oximeter-01"
kind = "oximeter-cms50d"
port = "/dev/ttyUSB0"
resident = "r-0001"
[journal]
path = "accepted.ndjson"
"""

CLOUD_SETTINGS = """
data = "data"
timezone = "Asia/Shanghai"
broker = "mqtt://127.0.0.1:1"
[http]
host = "127.0.0.1"
port = 8080
[silence]
gateway_silent_s = 30
"""

PACK = files("kanhu.vitals.packs").joinpath("core.toml").read_text(encoding="utf-8")


class Mistake(NamedTuple):
    """One mistake: what stands in place of what, which key the answer names, and a word of its remedy."""

    right: str
    wrong: str
    key: str
    remedy: str

    @property
    def name(self) -> str:
        """For the test's id."""
        return f"{self.key} {self.wrong.strip()[:24]!r}"

    def made_in(self, text: str) -> str:
        """The text with the mistake."""
        assert self.right in text, self.right
        return text.replace(self.right, self.wrong, 1)


GATEWAY_MISTAKES = (
    Mistake('gateway = "home-01"', "", "gateway", "Add it"),
    Mistake('"home-01"', '"Home 1"', "gateway", "a-z"),
    Mistake('"home-01"', "7", "gateway", "docs/gateway.md"),
    Mistake('"data"', '"/dev/null/data"', "data", "folder"),
    Mistake('"Asia/Shanghai"', '"China/Peking"', "timezone", "IANA"),
    Mistake('"Asia/Shanghai"', '"../../etc/passwd"', "timezone", "IANA"),
    Mistake("port = 1\n", "port = 70000\n", "broker.port", "docs/gateway.md"),
    Mistake("port = 1\n", "prot = 1\n", "broker.prot", "Remove it"),
    Mistake("port = 1\n", 'host = "county..org"\n', "broker.host", "broker"),
    Mistake("[broker]", "[broker", "file", "line"),
    Mistake("88", "8", "spo2_limit_percent", "percent"),
    Mistake("88", '"NaN"', "spo2_limit_percent", "percent"),
    Mistake("oximeter-cms50d", "toaster", "device[0].kind", "oximeter-cms50d"),
    Mistake('port = "/dev/ttyUSB0"', 'address = "F0:0D:00:00:00:01"', "device[0].port", "serial"),
    Mistake('resident = "r-0001"', 'resident = "r-0002"', "device[0].resident", "[[resident]]"),
    Mistake('"accepted.ndjson"', '"no/such/folder/x"', "journal.path", "folder"),
    Mistake("port = 1\n", f"port = {'9' * 5000}\n", "file", "line"),
)

CLOUD_MISTAKES = (
    Mistake('data = "data"', "", "data", "docs/cloud.md"),
    Mistake('"data"', "7", "data", "docs/cloud.md"),
    Mistake('data = "data"', 'data = "/dev/null/data"', "data", "change"),
    Mistake('"Asia/Shanghai"', '"China/Peking"', "timezone", "Asia/Shanghai"),
    Mistake('"Asia/Shanghai"', '"Asia"', "timezone", "Asia/Shanghai"),
    Mistake('"mqtt://127.0.0.1:1"', '"http://127.0.0.1"', "broker", "mqtt://"),
    Mistake('"mqtt://127.0.0.1:1"', '"mqtt://127.0.0.1:99999"', "broker", "mqtt://"),
    Mistake('host = "127.0.0.1"', 'host = ""', "http.host", "127.0.0.1"),
    Mistake('host = "127.0.0.1"', 'host = "203.0.113.9"', "http", "choose another"),
    Mistake("8080", "70000", "http.port", "65535"),
    Mistake("8080", '"web"', "http.port", "docs/cloud.md"),
    Mistake("8080", "8080\ncolour = 1", "http", "docs/cloud.md"),
    Mistake("gateway_silent_s = 30", "gateway_silent_s = nan", "silence.gateway_silent_s", "seconds"),
    Mistake("gateway_silent_s = 30", "gateway_silent_s = 86400", "silence", "watch_lost_watch_list_s"),
    Mistake("[http]", "[http", "file", "TOML"),
    Mistake("8080", "[" * 5000, "file", "TOML"),
)

PACK_MISTAKES = (
    Mistake("[[rule]]", "[[rule", "", "correct the file"),
    Mistake('version = "2026.11"', "", "version", "dated version"),
    Mistake('version = "2026.11"', 'version = "2026.11"\npages = 7', "pages", "remove it"),
    Mistake('id = "SOS"\n', 'id = "SOS"\ncolour = "red"\n', "SOS colour", "remove it"),
    Mistake('id = "SPO2-LOW"', 'id = "SOS"', "SOS id", "its own id"),
    Mistake('runs = "gateway"', 'runs = "moon"', "SOS runs", '"cloud"'),
    Mistake('kind = "event"', 'kind = "feeling"', "SOS kind", "threshold"),
    Mistake('priority = "high"', 'priority = "red"', "SOS priority", "technical"),
    Mistake('population = "all"', 'population = "everybody"', "SOS population", "tag:"),
    Mistake("dedupe_s = 600", "dedupe_s = -1", "SOS dedupe_s", "from 0 to"),
    Mistake("dedupe_s = 600", 'dedupe_s = "ten minutes"', "SOS dedupe_s", "docs/rules.md"),
    Mistake('source = "Project choice: a person', 'source = "" # a person', "SOS source", "does not run"),
    Mistake("{presses}", "{presses!r}", "SOS sentence.en", "supplies"),
    Mistake("{presses}", "{0.__class__}", "SOS sentence.en", "supplies"),
    Mistake('unit = "%"', 'unit = "mm[Hg]"', "SPO2-LOW unit", "write '%'"),
    Mistake('at_or_below = "92"', 'at_or_below = "920"', "SPO2-LOW trigger.limits.spo2.at_or_below", "50 to 100 %"),
)
