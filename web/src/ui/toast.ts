// SPDX-License-Identifier: MIT
/** Something said briefly, seen and read out. */
import { attributes, make } from './dom.js';

const FOR_MS = 4000;

export interface Toast {
	say(text: string): void;
}

export function makeToast(): Toast {
	const box = attributes(make('div', 'toast'), { role: 'status', 'aria-live': 'polite' });
	document.body.append(box);
	let timer = 0;
	return {
		say(text) {
			clearTimeout(timer);
			// the same words again are read out again only if they are another node
			box.replaceChildren(make('p', '', text));
			timer = window.setTimeout(() => box.replaceChildren(), FOR_MS);
		},
	};
}
