from twisted.application.service import ServiceMaker

sipsorcery = ServiceMaker(
    "sipsorcery",
    "sipsorcery.tap.sipsorcery",
    "All servers of sipsorcery in one process.",
    "sipsorcery",
)
sipproxy = ServiceMaker(
    "sipsorcery proxy",
    "sipsorcery.tap.proxy",
    "A SIP proxy: owns the public sockets and routes by script.",
    "sipproxy",
)
sipregistrar = ServiceMaker(
    "sipsorcery registrar",
    "sipsorcery.tap.registrar",
    "A SIP registrar: knows where each account can be reached.",
    "sipregistrar",
)
sipregagent = ServiceMaker(
    "sipsorcery registration agent",
    "sipsorcery.tap.regagent",
    "Keeps accounts registered at third-party SIP providers.",
    "sipregagent",
)
sipappserver = ServiceMaker(
    "sipsorcery application server",
    "sipsorcery.tap.appserver",
    "A SIP B2BUA that runs each user's own dialplan.",
    "sipappserver",
)
sipnotifier = ServiceMaker(
    "sipsorcery notification server",
    "sipsorcery.tap.notifier",
    "A SIP event server: presence, dialogs, waiting messages.",
    "sipnotifier",
)
sipmonitor = ServiceMaker(
    "sipsorcery monitor",
    "sipsorcery.tap.monitor",
    "Collects the events of all servers and serves them live.",
    "sipmonitor",
)
sipssh = ServiceMaker(
    "sipsorcery SSH console",
    "sipsorcery.tap.ssh",
    "An SSH console: live events, calls and ladder diagrams.",
    "sipssh",
)
sipweb = ServiceMaker(
    "sipsorcery web",
    "sipsorcery.tap.web",
    "The web pages and the provisioning API of sipsorcery.",
    "sipweb",
)
sipwatchtower = ServiceMaker(
    "sipsorcery watchtower",
    "sipsorcery.tap.watchtower",
    "Supervises the workers of the application server.",
    "sipwatchtower",
)
