/** Looks shared with Python. Made by `python -m nnwidgets.blocks.typescript` from nnwidgets/blocks/looks.py; not to be edited. */

export const INK = { light: "f2f4f4 b6e1dd 7cc9cb 3eafbe 1890b3 0570a5 174f94 223171 1d1948", dark: "111111 182a51 22447e 2360a7 1082b8 19a4c4 48c5c8 8fe3cb d4fddb" } as const;
export const DIVERGING = { light: "163c89 2b69b2 5a9bd5 a9d0ee f2f4f4 efcca5 df9353 b65a1f 7c2707", dark: "92ddfb 53a7d9 2d6ea7 1a395f 111111 542d14 9d551f d58c3f facd78" } as const;
export const GROUND = { light: "#f2f4f4", dark: "#111111" } as const;
export const CLASSES = { light: "1eabfa fa9609 a30505 7f2dc2 0e8b97 e0520e 939165 8d5652 525366 9fb0bb", dark: "63a6e7 f8ba12 dd4867 b936f2 4fdbf0 fa896b ebfa8e b67405 9a93a6 c8e3da" } as const;
export const LOST = [224, 149, 47] as const;
export const GAINED = [83, 167, 217] as const;
export const HEAT_DARKENS = 0.55 as const;
export const THIN = "\u202f" as const;
export const MINUS = "\u2212" as const;
export const ELLIPSIS = "\u2026" as const;
export const MOST_GROUPS = 20 as const;
export const MOST_RINGED = 0.15 as const;
export const LEAST_AREA = 0.5 as const;
export const MOST_AREA = 4.0 as const;
export const MOST_ROWS = 1000 as const;
