export { type ImageStoreOptions, openImageStore } from './image-store.ts'
export { openUploadStore } from './upload-store.ts'
