/** The traffic of sandboxes, as the edge sees it. */
export interface Activity {
  /**
   * `open`: exchanges (requests, streams, upgraded connections) in progress; `lastAt`: when the last one began or ended,
   * milliseconds since the epoch; undefined: none since the server started. Health probes of the agent and refused requests
   * are no exchanges.
   */
  of(sandboxId: string): { readonly open: number; readonly lastAt: number } | undefined
}
