/** As whom and where processes run that do not say so themselves. */
export interface ProcessDefaults {
  readonly user: string
  readonly workdir: string
}
