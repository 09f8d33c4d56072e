import type { DocumentType } from './document-type.ts';

/** The product certificate of a tree. Source: main compose contract 7. */
export const productIdDocument: DocumentType = {
  type: 'productid',
  name: 'productid',
  compression: 'gzip',
  carriedBy: [],
  unite: ([first]) => first ?? null,
};
