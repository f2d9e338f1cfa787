import { DockerfileError } from './instructions.ts'
import type { DockerfileStage, DockerfileStep } from './plan.ts'

/** A stage while it is read. */
export interface Draft {
  /** undefined: known by its number only. */
  readonly name: string | undefined
  readonly fromImage: string
  readonly steps: DockerfileStep[]
  readonly arguments: Record<string, string>
  entrypoint: string | undefined
  command: string | undefined
}

/** What a step copies from: the place among the stages read, or an image that is none of them. */
interface Image {
  readonly image: string
  readonly line: number
}

/** The stages of a Dockerfile in the order in which they are read. */
export class Stages {
  readonly #drafts: Draft[] = []
  /** Those of `COPY --from=<image>`: their numbers are negative, -1 for the first. */
  readonly #images: Image[] = []

  get current(): Draft | undefined {
    return this.#drafts.at(-1)
  }

  /** One that begins with an earlier stage has all that this one did: its steps are run once, for both (the layers are the same). */
  begin(image: string, name: string | undefined, line: number): void {
    const earlier = this.#find(image)
    if (image.toLowerCase() === 'scratch') {
      throw new DockerfileError(line, 'FROM scratch is not supported: a sandbox begins with the files of an image')
    }
    if (name !== undefined && this.#find(name) !== -1) throw new DockerfileError(line, `there is a stage '${name}' already`)
    const from = this.#drafts[earlier]
    this.#drafts.push({
      name: name?.toLowerCase(),
      fromImage: from?.fromImage ?? image,
      steps: [...(from?.steps ?? [])],
      arguments: { ...from?.arguments },
      entrypoint: from?.entrypoint,
      command: from?.command,
    })
  }

  /** Drops what comes after the stage of that name or number. @throws DockerfileError when there is none. */
  endWith(target: string): void {
    const number = /^\d+$/.test(target) ? Number(target) : this.#find(target)
    if (!this.#drafts[number]) throw new DockerfileError(1, `there is no stage '${target}' in it`)
    this.#drafts.splice(number + 1)
  }

  /** What `COPY --from` names in the stage that is being read. */
  source(asked: string, line: number): number {
    const number = /^\d+$/.test(asked) ? Number(asked) : this.#find(asked)
    const last = this.#drafts.length - 1
    if (number >= last) throw new DockerfileError(line, `COPY --from=${asked}: only earlier stages have files to copy`)
    if (number >= 0) return number
    this.#images.push({ image: asked, line })
    return -this.#images.length
  }

  /** The last one and all that it needs, each after those that it copies from; `from` of their steps becomes the place in this list. */
  needed(): DockerfileStage[] {
    for (const { image, line } of this.#images) {
      if (this.#find(image) !== -1) throw new DockerfileError(line, `COPY --from=${image}: the stage of that name comes later`)
    }
    const places = new Map<number, number>()
    const stages: DockerfileStage[] = []
    const place = (number: number): number => {
      const known = places.get(number)
      if (known !== undefined) return known
      const steps = this.#stepsOf(number).map((step) => (step.from === undefined ? step : { ...step, from: place(step.from) }))
      stages.push({ ...this.#headOf(number), steps })
      places.set(number, stages.length - 1)
      return stages.length - 1
    }
    place(this.#drafts.length - 1)
    return stages
  }

  #headOf(number: number): Pick<DockerfileStage, 'name' | 'fromImage'> {
    const { image = '' } = this.#images[-number - 1] ?? {}
    const draft = this.#drafts[number]
    return { name: draft ? (draft.name ?? String(number)) : image, fromImage: draft?.fromImage ?? image }
  }

  /** As Docker begins; the last one ends as a sandbox works unless the Dockerfile decides, as the SDKs' own reading of it does. */
  #stepsOf(number: number): DockerfileStep[] {
    const steps = this.#drafts[number]?.steps ?? []
    const ends = { USER: 'user', WORKDIR: '/home/user' } as const
    const missing = (['USER', 'WORKDIR'] as const).filter((type) => !steps.some((step) => step.type === type))
    const isTemplate = number === this.#drafts.length - 1
    return [
      { type: 'USER', args: ['root'], line: 0 },
      { type: 'WORKDIR', args: ['/'], line: 0 },
      ...steps,
      ...(isTemplate ? missing : []).map((type) => ({ type, args: [ends[type]], line: 0 })),
    ]
  }

  #find(name: string): number {
    return this.#drafts.findIndex((draft) => draft.name === name.toLowerCase())
  }
}
