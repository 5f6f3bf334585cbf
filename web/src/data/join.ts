// SPDX-License-Identifier: MIT
/** Two captures with tables in common, so that they can be compared row by row. */
import type { Capture } from './capture.js';

/** The same captures; strings, functions, frames and stacks of both are the same tables. */
export function joinCaptures(now: Capture, before: Capture): { now: Capture; before: Capture } {
	throw new Error(`not yet: ${now.title} ${before.title}`);
}
