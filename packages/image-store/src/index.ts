export { type ImageStoreOptions, openImageStore } from './image-store.ts'
