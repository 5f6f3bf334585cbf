// SPDX-License-Identifier: MIT
/** Common bases of stacks. */
import { NONE, type Stacks } from '../data/capture.js';

/** By stack: how many frames, from the root, it has in common with `stack`. NONE: all 0. */
export function commonDepths(stacks: Stacks, stack: number): Uint16Array {
	const common = new Uint16Array(stacks.count);
	const path = framesOf(stacks, stack);
	if (path.length === 0) return common;
	const { parent, frame, depth } = stacks;
	for (let s = 0; s < stacks.count; s++) {
		const up = parent[s];
		if (up === NONE) {
			common[s] = frame[s] === path[0] ? 1 : 0;
			continue;
		}
		const above = common[up];
		common[s] = above === depth[up] && frame[s] === path[above] ? above + 1 : above;
	}
	return common;
}

/** Rows of the frames of a stack, root first. */
export function framesOf(stacks: Stacks, stack: number): number[] {
	const frames: number[] = [];
	for (let s = stack; s !== NONE; s = stacks.parent[s]) frames.push(stacks.frame[s]);
	return frames.reverse();
}
