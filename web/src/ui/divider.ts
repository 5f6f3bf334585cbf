// SPDX-License-Identifier: MIT
/** The line between the view and the details: drag it, or the arrow keys. */
import { attributes } from './dom.js';

const STORE = 'fireglass details';
const INITIAL = 340;
const LEAST = 180; // narrower than this it is closed

function stored(): number {
	try {
		return Number(localStorage.getItem(STORE) ?? INITIAL);
	} catch {
		return INITIAL; // pages on disk may have no storage
	}
}

/** `element` is the divider; the width goes to the style of its parent as --details. */
export function listenDivider(element: HTMLElement, details: HTMLElement): void {
	const body = element.parentElement;
	attributes(element, {
		role: 'separator',
		tabindex: 0,
		'aria-orientation': 'vertical',
		'aria-label': 'Width of the details',
		'aria-controls': details.id,
		'aria-valuemin': 0,
		title: 'Drag to resize, double click to close and open',
	});
	let width = INITIAL;
	let open = INITIAL; // the last width that was not 0
	const set = (wanted: number, keep = true): void => {
		const most = Math.max(LEAST, innerWidth - 360);
		width = !(wanted >= LEAST / 2) ? 0 : Math.max(LEAST, Math.min(most, Math.round(wanted)));
		if (width > 0) open = width;
		body?.style.setProperty('--details', `${width}px`);
		details.classList.toggle('closed', width === 0);
		attributes(element, { 'aria-valuenow': width, 'aria-valuemax': most });
		if (!keep) return;
		try {
			localStorage.setItem(STORE, String(width));
		} catch {
			// then it is not kept
		}
	};
	const toggle = (): void => set(width > 0 ? 0 : open);
	element.addEventListener('pointerdown', (event) => {
		if (event.button !== 0) return;
		const start = { x: event.clientX, width };
		const move = (now: PointerEvent): void => set(start.width - (now.clientX - start.x));
		element.setPointerCapture(event.pointerId);
		element.addEventListener('pointermove', move);
		for (const end of ['pointerup', 'pointercancel'] as const) {
			element.addEventListener(end, () => element.removeEventListener('pointermove', move), {
				once: true,
			});
		}
	});
	element.addEventListener('dblclick', toggle);
	element.addEventListener('keydown', (event) => {
		const by = { ArrowLeft: 24, ArrowRight: -24 }[event.key];
		if (event.key === 'Enter') toggle();
		else if (by !== undefined) set(width + by >= LEAST || by > 0 ? Math.max(LEAST, width + by) : 0);
		else return;
		event.preventDefault();
		event.stopPropagation();
	});
	set(stored(), false);
}
