// SPDX-License-Identifier: MIT
/** Where boxes that lie over the page go. */

const EDGE_PX = 6;

/** Where a box of a size begins beside a point, within a window: on the other side if it must. */
export function beside(at: number, size: number, room: number, gap: number): number {
	if (at + gap + size <= room - EDGE_PX) return at + gap;
	if (at - gap - size >= EDGE_PX) return at - gap - size;
	return Math.max(EDGE_PX, room - size - EDGE_PX);
}

/** Moves a visible box beside a point of the window, so that all of it can be seen. */
export function place(box: HTMLElement, x: number, y: number, gap: number): void {
	const { clientWidth, clientHeight } = document.documentElement;
	const { offsetWidth, offsetHeight } = box;
	box.style.left = `${beside(x, offsetWidth, clientWidth, gap)}px`;
	box.style.top = `${beside(y, offsetHeight, clientHeight, gap)}px`;
}
