import type { ProcessDefaults } from '../domain/process-defaults.ts'
import type { Service } from '../domain/template.ts'
import type { JournalEntry } from './logs.ts'

/** What an agent can be told before it is known whose sandbox it is. */
export interface AgentSurroundings {
  readonly templateId: string
  readonly hostname: string
  readonly nameservers: readonly string[]
  /** PEM: authorities that programs in the sandbox trust beside those of its system. */
  readonly caCertificates?: readonly string[]
  /** The port of its loopback that leads to the platform's own names, and where it leads: `host:port`. */
  readonly hairpin?: { readonly port: number; readonly address: string }
}

/** What the agent is told before the first request reaches it (protocol.md 3.2, `POST /init`). */
export interface AgentIdentity extends AgentSurroundings {
  readonly sandboxId: string
  /** null: the agent demands no token. */
  readonly accessToken: string | null
  readonly env: Readonly<Record<string, string>>
  /** null: as it has it. */
  readonly defaults: ProcessDefaults | null
}

/** A process inside that was ended for its memory; all of it is the sandbox's own word. */
export interface EndedProcess {
  readonly pid: number
  readonly command: string
  readonly rssBytes: number
}

/** A process to be run inside. */
export interface AgentCommand {
  readonly program: string
  readonly args: readonly string[]
  /** Empty: the agent's default. */
  readonly user: string
  /** Absolute, and there. */
  readonly workdir: string
  readonly env: Readonly<Record<string, string>>
  /** Milliseconds after which it is ended; undefined: it may run for ever. */
  readonly timeoutMilliseconds?: number
}

export type OutputListener = (stream: 'stdout' | 'stderr', text: string) => void

/** The daemon inside a sandbox, as the control plane speaks to it. */
export interface Agent {
  /** Resolves when the agent at `address` answers. @throws TorporError `timed_out` after `withinMilliseconds`. */
  healthy(address: string, withinMilliseconds: number): Promise<void>
  /**
   * Gives the agent its identity; safe to repeat. `holder`: the token that it demands until then, when it comes out of the image of
   * another sandbox; null for none. @throws TorporError `unavailable`.
   */
  init(address: string, identity: AgentIdentity, holder?: string | null): Promise<void>
  /**
   * Does for a sandbox without an owner what would hold up its first one: tells it what is known already, and goes once the way of a
   * command. Only for one that demands no token. @throws TorporError `unavailable`, `timed_out`.
   */
  prepare(address: string, surroundings: AgentSurroundings): Promise<void>
  /** Starts the service as a process of the agent's and resolves when it is ready. @throws TorporError `unavailable`, `timed_out`. */
  startService(address: string, service: Service): Promise<void>
  /**
   * Runs a process to its end and gives its exit status; -1 when a signal ended it. An abort leaves it running and rejects with the
   * signal's reason. @throws TorporError `invalid_argument` when it cannot be started, `timed_out`, `unavailable`.
   */
  run(address: string, command: AgentCommand, options: { readonly onOutput: OutputListener; readonly signal: AbortSignal }): Promise<number>
  /**
   * Writes a file as `user`, making its directories. @throws TorporError `no_space`, `unavailable`; the signal's reason when aborted.
   */
  writeFile(address: string, file: AgentFile, signal: AbortSignal): Promise<void>
  /**
   * Makes a directory and its missing parents for `user`, unless it is there. @throws TorporError `invalid_argument` when something
   * else is in its place, `unavailable`.
   */
  makeDirectory(address: string, path: string, user: string): Promise<void>
  /**
   * What the agent noted after the entry `after`, oldest first; a bounded number. All of it is the sandbox's own word.
   * @throws TorporError `unavailable`.
   */
  journal(address: string, accessToken: string | null, after: number): Promise<JournalEntry[]>
  /**
   * Ends the process that takes most memory, if it takes at least so many bytes, and notes it in the journal; undefined when there
   * is none. @throws TorporError `unavailable`.
   */
  endBiggest(address: string, accessToken: string | null, leastBytes: number): Promise<EndedProcess | undefined>
}

/** A file on its way into a sandbox. */
export interface AgentFile {
  readonly path: string
  readonly user: string
  readonly bytes: number
  readonly content: AsyncIterable<Uint8Array>
}
