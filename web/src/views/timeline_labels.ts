// SPDX-License-Identifier: MIT
/** Names of the rows, as buttons left of the tracks (on a phone: on them); only those in sight. */

import { visible } from '../draw/text.js';
import { make } from '../ui/dom.js';
import { formatNumber } from '../ui/format.js';
import { type Row, rowsInSight } from './timeline_layout.js';
import { toggleProcess, trackMenu } from './timeline_menu.js';
import type { Timeline } from './timeline_parts.js';
import { processName, trackName } from './timeline_words.js';

let made: { layout: object; first: number; end: number; left: number } | null = null;

/** Makes the labels in sight anew if others are, and moves them with the rows. */
export function drawLabels(t: Timeline): void {
	const top = t.dom.scroll.scrollTop;
	const [first, end] = rowsInSight(t.layout, top, top + t.height);
	const { labels } = t.dom;
	const same =
		made !== null &&
		made.layout === t.layout &&
		made.first === first &&
		made.end === end &&
		made.left === t.left;
	if (!same) {
		const focused = document.activeElement;
		const id =
			focused instanceof HTMLElement && labels.contains(focused) ? focused.dataset.id : undefined;
		labels.replaceChildren(...t.layout.rows.slice(first, end).map((row) => label(t, row)));
		made = { layout: t.layout, first, end, left: t.left };
		if (id !== undefined) {
			for (const each of labels.querySelectorAll<HTMLElement>('[data-id]')) {
				if (each.dataset.id === id) each.focus({ preventScroll: true });
			}
		}
	}
	labels.style.transform = `translateY(${-top}px)`;
}

function label(t: Timeline, row: Row): HTMLElement {
	const made = row.kind === 'lane' ? laneLabel(t, row.lane) : rowButton(t, row);
	made.style.top = `${row.y}px`;
	made.style.maxHeight = `${row.height - 1}px`;
	if (t.left > 0 && !(row.kind === 'process' && !row.collapsed))
		made.style.width = `${t.left - 4}px`;
	return made;
}

function laneLabel(t: Timeline, lane: number): HTMLElement {
	return make('span', 'tl-label tl-label-lane', visible(t.lanes[lane].name.slice(0, 100)));
}

function rowButton(t: Timeline, row: Exclude<Row, { kind: 'lane' }>): HTMLElement {
	const made = make('button', `tl-label tl-label-${row.kind}`);
	made.type = 'button';
	made.dataset.id = `${row.kind}${row.threads[0]}`;
	if (row.kind === 'process') {
		made.textContent = processName(t, row.process);
		made.title = `${made.textContent}, ${formatNumber(row.threads.length, 'thread')}`;
		made.setAttribute('aria-expanded', String(!row.collapsed));
		made.addEventListener('click', () => toggleProcess(t, row.process));
	} else {
		made.textContent = trackName(t, row.threads);
		made.title = `${made.textContent}, thread ${t.capture.threads[row.threads[0]].tid}`;
		made.setAttribute('aria-haspopup', 'menu');
		made.addEventListener('click', () => {
			const box = made.getBoundingClientRect();
			trackMenu(t, box.left + 12, box.bottom, row);
		});
	}
	made.addEventListener('contextmenu', (event) => {
		event.preventDefault();
		trackMenu(t, event.clientX, event.clientY, row);
	});
	return made;
}
