// SPDX-License-Identifier: MIT
/** Elements of a picture that scrolls: two canvases that stay where they are over its content. */
import type { Surface } from './flame_paint.js';
import { makeSurface } from './flame_paint.js';
import { add } from './flame_tools.js';

export interface Parts {
	readonly element: HTMLElement;
	readonly scroller: HTMLElement; // has the focus
	readonly content: HTMLElement; // as high as all rows
	readonly holder: HTMLElement; // what is seen of it
	readonly main: Surface;
	readonly over: Surface; // hover and focus, so that the rest need not be drawn again for them
	readonly status: HTMLElement; // tells the focused frame
}

/** Below `host`; `label` is what screen readers say, `status` an element to use, or null. */
export function makeParts(host: HTMLElement, label: string, status: HTMLElement | null): Parts {
	const element = add(host, 'div', 'flame-graph');
	const scroller = add(element, 'div', 'flame-scroll');
	scroller.tabIndex = 0;
	scroller.setAttribute('role', 'application');
	scroller.setAttribute('aria-label', label);
	// the keys for a menu bring the browser's own one as well
	scroller.addEventListener('contextmenu', (event) => event.preventDefault());
	const content = add(scroller, 'div', 'flame-content');
	const holder = add(content, 'div', 'flame-holder');
	const surface = (): Surface => {
		const canvas = add(holder, 'canvas');
		canvas.setAttribute('aria-hidden', 'true');
		return makeSurface(canvas);
	};
	const [main, over] = [surface(), surface()];
	const telling = status ?? add(element, 'p', 'flame-status');
	telling.setAttribute('aria-live', 'polite');
	return { element, scroller, content, holder, main, over, status: telling };
}

/** Scrolls so that a row at y of the canvas is in view, with a row beside it. */
export function revealRow(
	parts: Parts,
	y: number,
	rowPx: number,
	topPx: number,
	heightPx: number,
): void {
	if (y < topPx) parts.scroller.scrollTop += y - topPx - rowPx;
	else if (y + rowPx > heightPx) parts.scroller.scrollTop += y + 2 * rowPx - heightPx;
}
