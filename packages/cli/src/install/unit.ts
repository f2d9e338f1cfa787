/** What a unit file depends on. */
export interface UnitPlaces {
  /** The root of the clone. */
  readonly clone: string
  /** The Node that runs now. */
  readonly node: string
  /** Holds the settings. */
  readonly settingsFile: string
}

const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * The service for systemd. `KillMode=process`: a stop or restart ends the server alone, its sandboxes go on and are found again.
 * Whoever may write to the clone becomes root through it, as with `sudo ./torpor up`.
 */
export function unitFile({ clone, node, settingsFile }: UnitPlaces): string {
  return `[Unit]
Description=Torpor, sandboxes that sleep and wake
Documentation=file://${uri(clone)}/docs/operations.md
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
ExecStart=${quoted(`${clone}/torpor`)} up
EnvironmentFile=-${escaped(settingsFile)}
Environment=${quoted(`PATH=${pathWith(node)}`)}
KillMode=process
TimeoutStopSec=60
Restart=on-failure
RestartSec=2
Delegate=yes
TasksMax=infinity
LimitNOFILE=1048576
OOMScoreAdjust=-500

[Install]
WantedBy=multi-user.target
`
}

/** As an environment file of systemd: one setting a line, in quotes. */
export function settingsText(settings: Readonly<Record<string, string>>): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name}="${value.replaceAll(/["\\`$]/g, String.raw`\$&`)}"\n`)
  return `# Settings of Torpor (\`torpor config\` explains each). After a change: systemctl restart torpor\n${lines.join('')}`
}

function pathWith(node: string): string {
  const directory = node.slice(0, node.lastIndexOf('/'))
  return systemPath.split(':').includes(directory) ? systemPath : `${directory}:${systemPath}`
}

/** `%` begins a specifier in every value. */
const escaped = (text: string): string => text.replaceAll('%', '%%')

/** One word. `$` stands for itself in the path of a program and in `Environment`. */
const quoted = (text: string): string => `"${escaped(text).replaceAll(/["\\]/g, String.raw`\$&`)}"`

const uri = (place: string): string => escaped(encodeURI(place))
