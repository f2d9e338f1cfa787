import type { IForbiddenRuleType } from 'dependency-cruiser'

const rooms = (...names: string[]): string => `^packages/(${names.join('|')})/src/`
const adapters = ['engine-gvisor', 'engine-fake', 'store-sqlite', 'image-store', 'oci-images', 'agent-client']
/** Tests of a room, and the world that core's tests live in, may look wherever they like; loops and loose ends are forbidden to them as well. */
const tests = String.raw`(\.test\.ts|^packages/core/src/testing/.+\.ts)$`
const builtins = { dependencyTypes: ['core' as const] }

/** From the modules of `from`, only what `to` names may be imported, packages of others and of Node included. */
const only = (name: string, from: string, to: string[]): IForbiddenRuleType => ({
  name,
  severity: 'error',
  from: { path: from, pathNot: tests },
  to: { pathNot: to },
})

/** Of our own rooms, only those of `to` and itself may be imported; foreign packages are free. */
const onlyRooms = (name: string, from: string[], to: string[]): IForbiddenRuleType => ({
  name,
  severity: 'error',
  from: { path: rooms(...from), pathNot: tests },
  to: { path: '^(packages/[^/]+/src|tests)/', pathNot: ['^packages/$1/src/', rooms(...to)] },
})

/** The files in which child processes may be started. */
const spawners = [
  String.raw`^packages/engine-gvisor/src/(run-command|host/host-process)\.ts$`,
  String.raw`^packages/setup/src/run-command\.ts$`,
  String.raw`^packages/cli/src/processes\.ts$`,
  String.raw`^packages/oci-images/src/run-tool\.ts$`,
  String.raw`^packages/volume/src/run-command\.ts$`,
  rooms('testkit'),
]

/** The doors between the rooms (ARCHITECTURE.md). */
export const rules: readonly IForbiddenRuleType[] = [
  only('contract-imports-nothing', rooms('contract'), [rooms('contract'), '(^|/)node_modules/(zod|ipaddr.js)/']),
  only('domain-is-pure', '^packages/core/src/domain/', [rooms('contract'), '^packages/core/src/domain/']),
  only('ports-see-domain', '^packages/core/src/ports/', [rooms('contract'), '^packages/core/src/(domain|ports)/']),
  only('app-sees-ports', '^packages/core/src/app/', [rooms('contract'), '^packages/core/src/(domain|ports|app)/']),
  only('reconcilers-see-app', '^packages/core/src/reconcilers/', [rooms('contract'), '^packages/core/src/(domain|ports|app|reconcilers)/']),
  only('core-sees-contract', rooms('core'), [rooms('contract'), '^packages/core/src/(?!testing/)']),
  only('file-system-imports-nothing', rooms('file-system'), [rooms('file-system'), '^(node:)?(fs/promises|path)$']),
  onlyRooms('adapters-see-core', adapters, ['core', 'contract', 'file-system']),
  onlyRooms('control-api-sees-core', ['control-api'], ['core', 'contract']),
  onlyRooms('edge-sees-contract', ['edge', 'dockerfile'], ['contract']),
  onlyRooms('setup-sees-core', ['setup'], ['core', 'contract']),
  onlyRooms('volume-sees-setup', ['volume'], ['setup', 'contract', 'file-system']),
  onlyRooms('cli-sees-server', ['cli'], ['server', 'setup', 'volume', 'dockerfile', 'contract', 'file-system']),
  {
    name: 'only-server-composes',
    severity: 'error',
    from: { path: '^packages/([^/]+)/', pathNot: [tests, rooms('server', 'testkit')] },
    to: { path: rooms(...adapters, 'edge', 'control-api'), pathNot: '^packages/$1/src/' },
  },
  {
    name: 'server-is-the-top',
    severity: 'error',
    from: { path: rooms('server'), pathNot: tests },
    to: { path: [rooms('cli', 'testkit', 'engine-fake'), '^tests/'] },
  },
  {
    name: 'child-processes-in-one-file',
    severity: 'error',
    from: { path: '^packages/', pathNot: [tests, ...spawners] },
    to: { path: '^(node:)?(child_process|cluster)$', ...builtins },
  },
  {
    name: 'rooms-have-front-doors',
    comment: 'another room is entered through what its package.json exports; figures may be taken of its parts',
    severity: 'error',
    from: { path: '^(packages/[^/]+|tests)/', pathNot: '^tests/performance/' },
    to: { path: '^packages/[^/]+/src/', pathNot: ['^$1/', String.raw`^packages/[^/]+/src/(config/|testing/)?index\.ts$`] },
  },
  { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
  { name: 'nothing-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
]
