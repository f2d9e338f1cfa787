export * from './model/happenings.ts'
export * from './model/model.ts'
