/** What the agent is told before the first request reaches it (protocol.md 3.2, `POST /init`). */
export interface AgentIdentity {
  readonly sandboxId: string
  readonly templateId: string
  readonly hostname: string
  /** null: the agent demands no token. */
  readonly accessToken: string | null
  readonly env: Readonly<Record<string, string>>
  readonly nameservers: readonly string[]
}

/** The daemon inside a sandbox, as the control plane speaks to it. */
export interface Agent {
  /** Resolves when the agent at `address` answers. @throws TorporError `timed_out` after `withinMilliseconds`. */
  healthy(address: string, withinMilliseconds: number): Promise<void>
  /**
   * Gives the agent its identity; safe to repeat. `holder`: the token that it demands until then, when it comes out of the image of
   * another sandbox; null for none. @throws TorporError `unavailable`.
   */
  init(address: string, identity: AgentIdentity, holder?: string | null): Promise<void>
}
