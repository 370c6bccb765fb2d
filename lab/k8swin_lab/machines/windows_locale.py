r"""What a Windows of another language is: culture, code pages, words of its programs, names of its groups.

All of it is state in the registry, where Windows keeps it, so that `Set-Culture`, `reg add` or a mood of a
site come to the same: the user's culture in HKCU\Control Panel\International, the code pages of programs that
know no Unicode in ...\Nls\CodePage, and the language in which Windows was installed in ...\Nls\Language.
Windows of Germany translates the names of groups and of its own accounts, that of Japan does not.

Sources: learn.microsoft.com "Code Page Identifiers" and "Default Input Profiles" (language identifiers); SQL
Server's table "localized service names" for the German accounts; German netsh as people print it in notes on
reserved ports (`Portausschlussbereiche für das Protokoll "tcp"`). What no public text shows word for word
(Japanese netsh) was written from knowledge: it differs from English, which is what matters to who reads it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from k8swin_lab.machines.registry import Registry

INTERNATIONAL = r"HKCU\Control Panel\International"
CODE_PAGE = r"HKLM\SYSTEM\CurrentControlSet\Control\Nls\CodePage"
LANGUAGE = r"HKLM\SYSTEM\CurrentControlSet\Control\Nls\Language"

ADMINISTRATORS, USERS, SYSTEM = "S-1-5-32-544", "S-1-5-32-545", "S-1-5-18"
EVERYONE, LOCAL_SERVICE, NETWORK_SERVICE = "S-1-1-0", "S-1-5-19", "S-1-5-20"
AUTHENTICATED, OWNER = "S-1-5-11", "S-1-3-0"

_ENGLISH_ACCOUNTS = {
    ADMINISTRATORS: r"BUILTIN\Administrators",
    USERS: r"BUILTIN\Users",
    SYSTEM: r"NT AUTHORITY\SYSTEM",
    EVERYONE: "Everyone",
    LOCAL_SERVICE: r"NT AUTHORITY\LOCAL SERVICE",
    NETWORK_SERVICE: r"NT AUTHORITY\NETWORK SERVICE",
    AUTHENTICATED: r"NT AUTHORITY\Authenticated Users",
    OWNER: "CREATOR OWNER",
}


@dataclass(frozen=True, slots=True)
class Culture:
    """How numbers and dates look, of a .NET culture; patterns as DateTimeFormatInfo has them."""

    name: str
    lcid: int
    english_name: str
    decimal: str = "."
    group: str = ","
    list_separator: str = ","
    date_separator: str = "/"
    short_date: str = "M/d/yyyy"
    long_date: str = "dddd, MMMM d, yyyy"
    short_time: str = "h:mm tt"
    long_time: str = "h:mm:ss tt"
    days: tuple[str, ...] = ()
    months: tuple[str, ...] = ()


CULTURES = {
    culture.name.lower(): culture
    for culture in (
        Culture("en-US", 1033, "English (United States)"),
        Culture(
            "de-DE", 1031, "German (Germany)", ",", ".", ";", ".",
            "dd.MM.yyyy", "dddd, d. MMMM yyyy", "HH:mm", "HH:mm:ss",
            ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
            ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September",
             "Oktober", "November", "Dezember"),
        ),
        Culture(
            "ja-JP", 1041, "Japanese (Japan)", ".", ",", ",", "/",
            "yyyy/MM/dd", "yyyy'年'M'月'd'日'", "H:mm", "H:mm:ss",
            ("月曜日", "火曜日", "水曜日", "木曜日", "金曜日", "土曜日", "日曜日"),
            tuple(f"{n}月" for n in range(1, 13)),
        ),
    )
}  # fmt: skip
"""By lower-case name. Another culture that somebody sets is refused where it would show."""


@dataclass(frozen=True, slots=True)
class Words:
    """What Windows' own programs say in one language of installation."""

    language: str  # InstallLanguage: a language identifier in four hexadecimal digits
    culture: str
    adapter: str = "Ethernet"
    """The alias of the first adapter of a fresh installation."""
    accounts: dict[str, str] = field(default_factory=lambda: dict(_ENGLISH_ACCOUNTS))
    """Names of well-known accounts by SID."""
    texts: dict[str, str] = field(default_factory=dict)
    """Texts of programs by their English ones; a text that is not here is shown in English."""

    def say(self, text: str) -> str:
        """Return a program's text in this language."""
        return self.texts.get(text, text)


WORDS = {
    words.language: words
    for words in (
        Words("0409", "en-US"),
        Words(
            "0407",
            "de-DE",
            accounts={
                ADMINISTRATORS: r"VORDEFINIERT\Administratoren",
                USERS: r"VORDEFINIERT\Benutzer",
                SYSTEM: r"NT-AUTORITÄT\SYSTEM",
                EVERYONE: "Jeder",
                LOCAL_SERVICE: r"NT-AUTORITÄT\LOKALER DIENST",
                NETWORK_SERVICE: r"NT-AUTORITÄT\NETZWERKDIENST",
                AUTHENTICATED: r"NT-AUTORITÄT\Authentifizierte Benutzer",
                OWNER: "ERSTELLER-BESITZER",
            },
            texts={
                "Protocol {} Port Exclusion Ranges": 'Portausschlussbereiche für das Protokoll "{}"',
                "Start Port    End Port": "Startport      Endport",
                "* - Administered port exclusions.": "* - Verwaltete Portausschlüsse.",
                "Protocol {} Dynamic Port Range": 'Dynamischer Portbereich für das Protokoll "{}"',
                "Start Port      : {}": "Startport        : {}",
                "Number of Ports : {}": "Anzahl von Ports : {}",
                "Ok.": "OK.",
                "Current WinHTTP proxy settings:": "Aktuelle WinHTTP-Proxyeinstellungen:",
                "Direct access (no proxy server).": "Direktzugriff (kein Proxyserver).",
                'Configuration for interface "{}"': 'Konfiguration der Schnittstelle "{}"',
                "DHCP enabled": "DHCP aktiviert",
                "IP Address": "IP-Adresse",
                "Subnet Prefix": "Subnetzpräfix",
                "mask": "Maske",
                "Default Gateway": "Standardgateway",
                "Gateway Metric": "Gatewaymetrik",
                "InterfaceMetric": "Schnittstellenmetrik",
                "Yes": "Ja",
                "No": "Nein",
                "The parameter is incorrect.": "Falscher Parameter.",
                "The system cannot find the file specified.": "Das System kann die angegebene Datei nicht finden.",
                "The process cannot access the file because it is being used by another process.":
                    "Der Prozess kann nicht auf die Datei zugreifen, da sie von einem anderen Prozess verwendet wird.",
                "The filename, directory name, or volume label syntax is incorrect.":
                    "Die Syntax für den Dateinamen, Verzeichnisnamen oder die Datenträgerbezeichnung ist falsch.",
                "Windows IP Configuration": "Windows-IP-Konfiguration",
                "Ethernet adapter {}:": "Ethernet-Adapter {}:",
                "Active code page: {}": "Aktive Codepage: {}.",
            },
        ),
        Words(
            "0411",
            "ja-JP",
            adapter="イーサネット",
            texts={
                "Protocol {} Port Exclusion Ranges": "プロトコル {} ポート除外範囲",
                "Start Port    End Port": "開始ポート    終了ポート",
                "* - Administered port exclusions.": "* - 管理されたポート除外。",
                "Protocol {} Dynamic Port Range": "プロトコル {} の動的ポートの範囲",
                "Start Port      : {}": "開始ポート      : {}",
                "Number of Ports : {}": "ポート数        : {}",
                "Ok.": "OK",
                "Current WinHTTP proxy settings:": "現在の WinHTTP プロキシ設定:",
                "Direct access (no proxy server).": "直接アクセス (プロキシ サーバーなし)。",
                'Configuration for interface "{}"': 'インターフェイス "{}" の構成',
                "DHCP enabled": "DHCP 有効",
                "IP Address": "IP アドレス",
                "Subnet Prefix": "サブネット プレフィックス",
                "mask": "マスク",
                "Default Gateway": "デフォルト ゲートウェイ",
                "Gateway Metric": "ゲートウェイ メトリック",
                "InterfaceMetric": "インターフェイス メトリック",
                "Yes": "はい",
                "No": "いいえ",
                "The parameter is incorrect.": "パラメーターが間違っています。",
                "The system cannot find the file specified.": "指定されたファイルが見つかりません。",
                "The process cannot access the file because it is being used by another process.":
                    "プロセスはファイルにアクセスできません。別のプロセスが使用中です。",
                "The filename, directory name, or volume label syntax is incorrect.":
                    "ファイル名、ディレクトリ名、またはボリューム ラベルの構文が間違っています。",
                "Windows IP Configuration": "Windows IP 構成",
                "Ethernet adapter {}:": "イーサネット アダプター {}:",
                "Active code page: {}": "現在のコード ページ: {}",
            },
        ),
    )
}  # fmt: skip
"""By InstallLanguage."""


class Locale:
    """The language of one machine, read from its registry at every question."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        registry.set(CODE_PAGE, "ACP", "1252")
        registry.set(CODE_PAGE, "OEMCP", "437")

    @property
    def words(self) -> Words:
        """Of the language in which Windows was installed; English when the lab does not know it."""
        language = str(self._registry.get(LANGUAGE, "InstallLanguage", "0409"))
        return WORDS.get(language, WORDS["0409"])

    @property
    def culture(self) -> str:
        """Name of the culture that new sessions of the user have."""
        return str(self._registry.get(INTERNATIONAL, "LocaleName", "en-US"))

    @property
    def ansi(self) -> int:
        """Code page of programs that know no Unicode."""
        return int(str(self._registry.get(CODE_PAGE, "ACP", "1252")))

    @property
    def oem(self) -> int:
        """Code page of a console that nobody gave another one."""
        return int(str(self._registry.get(CODE_PAGE, "OEMCP", "437")))

    def account(self, sid: str) -> str | None:
        """Return the name of a well-known account."""
        return self.words.accounts.get(sid)

    def sid(self, name: str) -> str | None:
        r"""Return the SID of a well-known account, by `DOMAIN\name` or by the name alone."""
        wanted = name.lower()
        for sid, known in self.words.accounts.items():
            if wanted in (known.lower(), known.rpartition("\\")[2].lower()):
                return sid
        return None

    def shown(self, name: str) -> str:
        """Return how this Windows shows an account that the lab keeps under its English name."""
        for sid, english in _ENGLISH_ACCOUNTS.items():
            if english.lower() == name.lower():
                return self.words.accounts[sid]
        return name

    def kept(self, sid: str) -> str | None:
        """Return the English name under which the lab keeps a well-known account."""
        return _ENGLISH_ACCOUNTS.get(sid.upper())

    def install(self, language: str, *, oem: int, ansi: int) -> None:
        """Be a Windows that was installed in another language."""
        words = WORDS[language]
        culture = CULTURES[words.culture.lower()]
        self._registry.set(LANGUAGE, "InstallLanguage", language)
        self._registry.set(LANGUAGE, "Default", language)
        self._registry.set(CODE_PAGE, "OEMCP", str(oem))
        self._registry.set(CODE_PAGE, "ACP", str(ansi))
        for name, content in (
            ("LocaleName", culture.name),
            ("Locale", f"{culture.lcid:08X}"),
            ("sDecimal", culture.decimal),
            ("sThousand", culture.group),
            ("sList", culture.list_separator),
            ("sShortDate", culture.short_date),
            ("sLongDate", culture.long_date),
        ):
            self._registry.set(INTERNATIONAL, name, content)
