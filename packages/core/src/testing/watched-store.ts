import type { SandboxRecord } from '../domain/sandbox.ts'
import type { SandboxPatch, Store } from '../ports/store.ts'

interface Waiting {
  readonly holds: () => boolean
  readonly resolve: () => void
}

/** A store that can be waited for and whose next change can fail. */
export class WatchedStore {
  readonly #real: Store
  #waiting: Waiting[] = []
  readonly #failures: { readonly matches: (patch: SandboxPatch) => boolean; readonly error: Error }[] = []
  /** What core is given. */
  readonly store: Store

  constructor(real: Store) {
    this.#real = real
    this.store = {
      insertSandbox: (record) => this.#notify(real.insertSandbox(record)),
      getSandbox: (id) => real.getSandbox(id),
      allSandboxes: (state) => real.allSandboxes(state),
      frozenSandboxes: () => real.frozenSandboxes(),
      sandboxOf: (execution) => real.sandboxOf(execution),
      listSandboxes: (query) => real.listSandboxes(query),
      updateSandbox: (expected, patch, event) => {
        this.#fail(patch)
        return this.#notify(real.updateSandbox(expected, patch, event))
      },
      deleteSandbox: (id, event) => this.#notify(real.deleteSandbox(id, event)),
      recordEvent: (event) => this.#notify(real.recordEvent(event)),
      events: (query) => real.events(query),
      insertSnapshot: (snapshot, event) => this.#notify(real.insertSnapshot(snapshot, event)),
      getSnapshot: (idOrName) => real.getSnapshot(idOrName),
      listSnapshots: (query) => real.listSnapshots(query),
      deleteSnapshot: (id) => this.#notify(real.deleteSnapshot(id)),
      allImages: () => real.allImages(),
      isImageNamed: (name) => real.isImageNamed(name),
      namedRoots: () => real.namedRoots(),
      namedArtifacts: () => real.namedArtifacts(),
      templates: real.templates,
      putTemplate: (build) => real.putTemplate(build),
      getTemplate: (name) => real.getTemplate(name),
      allTemplates: () => real.allTemplates(),
      keys: real.keys,
      close: () => real.close(),
    }
  }

  /** Resolves as soon as it holds; looked at after every change. */
  async until(holds: () => boolean): Promise<void> {
    if (holds()) return
    await new Promise<void>((resolve) => void this.#waiting.push({ holds, resolve }))
  }

  /** Resolves with the record once it is so. */
  async recordThat(id: string, is: (record: SandboxRecord) => boolean): Promise<SandboxRecord> {
    const found = (): SandboxRecord | undefined => [this.#real.getSandbox(id)].find((record) => record && is(record))
    await this.until(() => found() !== undefined)
    const record = found()
    if (!record) throw new Error(`sandbox ${id} changed again`)
    return record
  }

  /** The next change that matches throws. */
  failNextUpdate(matches: (patch: SandboxPatch) => boolean, error: Error): void {
    this.#failures.push({ matches, error })
  }

  #fail(patch: SandboxPatch): void {
    const index = this.#failures.findIndex(({ matches }) => matches(patch))
    const [failure] = index < 0 ? [] : this.#failures.splice(index, 1)
    if (failure) throw failure.error
  }

  #notify<T>(result: T): T {
    const done = this.#waiting.filter(({ holds }) => holds())
    this.#waiting = this.#waiting.filter((waiting) => !done.includes(waiting))
    for (const { resolve } of done) resolve()
    return result
  }
}
