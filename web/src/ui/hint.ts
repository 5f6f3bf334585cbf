// SPDX-License-Identifier: MIT
/** Beside the modes: that most of what is shown waits, for those who look for what is busy. */
import type { Change } from '../app/app.js';
import type { PageApp } from '../app/page_app.js';
import type { Side } from '../model/shown.js';
import { button } from './dom.js';
import { formatPercent } from './format.js';

const WAITING = 2; // of Side.shares
const MOST = 0.6;

/** Which share of a side's samples waited. */
export function waitingShare({ shares, sum }: Side): number {
	return sum > 0 ? (shares[WAITING] ?? []).reduce((all, weight) => all + weight, 0) / sum : 0;
}

export interface Hint {
	readonly element: HTMLElement;
	update(changed: ReadonlySet<Change>): void;
	/** Never again: the modes are known. */
	dismiss(): void;
}

export function makeWaitHint(app: PageApp): Hint {
	let wanted = true;
	const element = button('hint', 'mostly waiting: try CPU', '', () => app.set({ mode: 'cpu' }));
	const dismiss = (): void => {
		wanted = false;
		element.hidden = true;
	};
	return {
		element,
		dismiss,
		update(changed) {
			if (app.state.mode !== 'wall') dismiss();
			if (!wanted || !changed.has('shown')) return;
			const share = waitingShare(app.shown().now);
			element.hidden = !(share > MOST);
			element.title =
				`${formatPercent(share)} of what is shown are threads that wait. ` +
				'CPU shows only those that run, or are ready to';
		},
	};
}
