// SPDX-License-Identifier: MIT
/** Lines of text beside the pointer. The views say the same to screen readers in their own way. */

import { make } from './dom.js';
import { place } from './place.js';

export interface Tip {
	/** Near a point of the window; null hides it. The first line is the title. */
	show(x: number, y: number, lines: readonly string[] | null): void;
}

const BESIDE_PX = 14;

export function makeTip(): Tip {
	const box = make('div', 'tip');
	box.hidden = true;
	box.setAttribute('aria-hidden', 'true');
	document.body.append(box);
	let shown: readonly string[] | null = null;
	addEventListener('scroll', () => (box.hidden = true), { capture: true, passive: true });
	return {
		show(x, y, lines) {
			box.hidden = !lines || lines.length === 0;
			if (!lines) return;
			if (lines !== shown) box.replaceChildren(...lines.map((line) => make('p', '', line)));
			shown = lines;
			place(box, x, y, BESIDE_PX);
		},
	};
}
