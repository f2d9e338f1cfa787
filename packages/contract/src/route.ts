/** A sandbox as the edge sees it. */
export interface Route {
  readonly sandboxId: string
  /** IPv4 address; null while it cannot be reached (paused, freezing). */
  readonly address: string | null
  /** The token its agent demands; null when it demands none. */
  readonly accessToken: string | null
  /** Set when public traffic is restricted to bearers of this token. */
  readonly trafficToken: string | null
  /** Replaces the Host header on the way in; `${PORT}` stands for the port. */
  readonly maskRequestHost: string | null
}
