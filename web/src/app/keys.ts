// SPDX-License-Identifier: MIT
/** Keys: the page's own, and to whom the others go. */
import { LEVELS, nextOf, UNITS } from '../ui/choices.js';
import { takesText } from '../ui/dom.js';
import type { PageApp } from './page_app.js';
import type { Place } from './place.js';
import type { ViewName } from './state.js';

export interface KeyTargets {
	readonly views: readonly ViewName[];
	readonly main: HTMLElement;
	readonly timeline: HTMLElement;
	readonly details: HTMLElement;
	readonly places: { readonly timeline: Place; readonly details: Place };
	current(): Place | undefined;
	search(): void;
	help(): void;
}

const isPlain = (event: KeyboardEvent): boolean =>
	!event.ctrlKey && !event.metaKey && !event.altKey;

/** Whether a press of Enter, Space or an arrow is for the element itself. */
function isControl(target: EventTarget | null): boolean {
	return (
		target instanceof Element && target.closest('button, a, summary, [role=separator]') !== null
	);
}

/** The page's own keys; true if it was one. */
function pressOwn(event: KeyboardEvent, app: PageApp, targets: KeyTargets): boolean {
	const { key } = event;
	const view = targets.views[Number(key) - 1];
	if (key === '/') targets.search();
	else if (key === '?') targets.help();
	else if (view && /^[1-9]$/.test(key)) app.set({ view });
	else if (key === 'g') app.set({ granularity: nextOf(LEVELS, app.state.granularity) });
	else if (key === 't') app.set({ unit: nextOf(UNITS, app.state.unit) });
	else if (key === 'i') app.set({ inverted: !app.state.inverted });
	else return false;
	return true;
}

/**
 * To the part that has the focus; with none, to the view, and what that does not want to the timeline.
 * From within the view the timeline gets no letters: there they mean something else.
 */
function pressParts(event: KeyboardEvent, targets: KeyTargets): boolean {
	const { target } = event;
	const within = (element: HTMLElement): boolean =>
		target instanceof Node && element.contains(target);
	const { timeline, details } = targets.places;
	if (within(targets.timeline)) return timeline.key(event);
	if (within(targets.details)) return details.key(event);
	if (isControl(target) && /^(Enter| |Arrow.*|Home|End)$/.test(event.key)) return false;
	if (targets.current()?.key(event)) return true;
	return !(within(targets.main) && /^\p{L}$/u.test(event.key)) && timeline.key(event);
}

/** Listens for as long as the page lives. */
export function listenKeys(app: PageApp, targets: KeyTargets): void {
	document.addEventListener('keydown', (event) => {
		if (event.defaultPrevented || event.isComposing) return;
		if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'f') {
			// a second time it is the browser's own
			if (takesText(event.target) || event.shiftKey || event.altKey) return;
			targets.search();
			event.preventDefault();
			return;
		}
		if (takesText(event.target) && event.key !== 'Escape') return;
		if (event.key === 'Escape' && app.close()) return event.preventDefault();
		const own = isPlain(event) && !takesText(event.target) && pressOwn(event, app, targets);
		if (own || pressParts(event, targets)) event.preventDefault();
	});
}
