import { compsDocument } from './comps-document.ts';
import type { DocumentType } from './document-type.ts';
import { modulesDocument } from './modules-document.ts';
import { productIdDocument } from './product-id-document.ts';
import { updateinfoDocument } from './updateinfo-document.ts';

/** Every type of document, a line each. */
export const documentTypes: readonly DocumentType[] = [
  compsDocument,
  modulesDocument,
  updateinfoDocument,
  productIdDocument,
];
