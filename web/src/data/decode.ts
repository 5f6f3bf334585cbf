// SPDX-License-Identifier: MIT
/** The embedded data of a page, read back. The format is described in docs/page-format.md. */
import type { Capture } from './capture.js';

/** Of the unpacked bytes. Throws an Error that says what is wrong with them. */
export function decodeCapture(bytes: Uint8Array): Capture {
	throw new Error(`not yet: ${bytes.length}`);
}

/** The capture in the element with that id (base64 of gzip); null if there is no such element. */
export async function loadEmbedded(id: string): Promise<Capture | null> {
	throw new Error(`not yet: ${id}`);
}
