// SPDX-License-Identifier: MIT
/** Common bases of stacks. */
import type { Stacks } from '../data/capture.js';

/** By stack: how many frames, from the root, it has in common with `stack`. NONE: all 0. */
export function commonDepths(stacks: Stacks, stack: number): Uint16Array {
	throw new Error(`not yet: ${stacks.count} ${stack}`);
}

/** Rows of the frames of a stack, root first. */
export function framesOf(stacks: Stacks, stack: number): number[] {
	throw new Error(`not yet: ${stacks.count} ${stack}`);
}
