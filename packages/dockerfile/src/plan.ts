/** A step as the build's API takes it (protocol.md 2.3), but for ADD and `from`; the files are still to be packed and uploaded. */
export interface DockerfileStep {
  /** ADD: as COPY, but archives are unpacked. */
  readonly type: 'RUN' | 'COPY' | 'ADD' | 'ENV' | 'WORKDIR' | 'USER'
  /** RUN: command. COPY, ADD: source, destination, user, mode. ENV: name, value, …; WORKDIR, USER: one. */
  readonly args: readonly string[]
  /** COPY: the stage of the plan, by its place in it, that has the files. */
  readonly from?: number
  /** Where it stands, from 1; 0 for what holds in every Dockerfile. */
  readonly line: number
}

export interface DockerfileStage {
  /** As the Dockerfile calls it: its name, its number, or the image of a `COPY --from`. */
  readonly name: string
  readonly fromImage: string
  readonly steps: readonly DockerfileStep[]
}

export interface DockerfilePlan {
  /** What the last one needs, in the order in which it is built; the last one is the template. */
  readonly stages: readonly DockerfileStage[]
  /** CMD and ENTRYPOINT as a shell's line; undefined: neither is there. */
  readonly startCmd: string | undefined
  /** Instructions that change nothing in a sandbox, as `EXPOSE (line 3)`. */
  readonly ignored: readonly string[]
}
