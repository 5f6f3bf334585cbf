// SPDX-License-Identifier: MIT
/** A box that a button opens below itself. */
import { attributes, make } from './dom.js';
import { place } from './place.js';

export interface Popover {
	readonly button: HTMLButtonElement;
	readonly panel: HTMLElement;
	isOpen(): boolean;
	close(): void;
}

let count = 0;

/** `fill` is called each time before it opens; the panel is its own. */
export function makePopover(
	label: string,
	title: string,
	fill: (panel: HTMLElement) => void,
): Popover {
	const panel = attributes(make('div', 'popover'), {
		id: `popover-${++count}`,
		role: 'dialog',
		'aria-label': title,
		tabindex: -1,
	});
	panel.hidden = true;
	const opener = attributes(make('button', 'opener', label), {
		type: 'button',
		title,
		'aria-haspopup': 'dialog',
		'aria-expanded': 'false',
		'aria-controls': panel.id,
	});
	document.body.append(panel);
	const close = (): void => {
		if (panel.hidden) return;
		if (panel.contains(document.activeElement)) opener.focus();
		panel.hidden = true;
		attributes(opener, { 'aria-expanded': 'false' });
	};
	const open = (): void => {
		fill(panel);
		panel.hidden = false;
		attributes(opener, { 'aria-expanded': 'true' });
		const box = opener.getBoundingClientRect();
		place(panel, box.left, box.bottom, 4);
		panel.style.left = `${Math.max(6, Math.min(box.left, innerWidth - panel.offsetWidth - 6))}px`;
		(panel.querySelector<HTMLElement>('[data-first]') ?? panel).focus();
	};
	opener.addEventListener('click', () => (panel.hidden ? open() : close()));
	panel.addEventListener('keydown', (event) => {
		event.stopPropagation();
		if (event.key !== 'Escape') return;
		event.preventDefault();
		close();
	});
	// the focus leaves it by Tab: then it has done its work
	panel.addEventListener('focusout', ({ relatedTarget }) => {
		if (relatedTarget instanceof Node && !panel.contains(relatedTarget)) close();
	});
	document.addEventListener('pointerdown', ({ target }) => {
		const inside = target instanceof Node && (panel.contains(target) || opener.contains(target));
		if (!inside) close();
	});
	addEventListener('resize', close);
	return { button: opener, panel, isOpen: () => !panel.hidden, close };
}
