// SPDX-License-Identifier: MIT
/** The views: what they are called, what they show, and what makes them. */
import { makeChart } from '../views/chart.js';
import { makeFlame } from '../views/flame.js';
import { makeHeatmap } from '../views/heatmap.js';
import { makeSandwich } from '../views/sandwich.js';
import { makeSourceView } from '../views/source.js';
import { makeSpans } from '../views/spans.js';
import { makeTable } from '../views/table.js';
import { makeTreeView } from '../views/tree.js';
import { makeTrust } from '../views/trust.js';
import type { View } from './app.js';
import type { ViewName } from './state.js';

export interface ViewEntry {
	readonly label: string;
	readonly title: string; // what it shows, in a sentence
	readonly make: () => View;
}

export const REGISTRY: Readonly<Record<ViewName, ViewEntry>> = {
	flame: {
		label: 'Flame graph',
		title: 'Where the time goes: calls as boxes, as wide as their share',
		make: makeFlame,
	},
	chart: {
		label: 'Flame chart',
		title: 'Calls of a thread in the order of time',
		make: makeChart,
	},
	tree: {
		label: 'Call tree',
		title: 'Calls as a tree to open and close, the heaviest first',
		make: makeTreeView,
	},
	table: {
		label: 'Table',
		title: 'Functions with self and total, to sort and to filter',
		make: makeTable,
	},
	sandwich: {
		label: 'Sandwich',
		title: 'One function: its callers above, its callees below',
		make: makeSandwich,
	},
	source: {
		label: 'Source',
		title: 'The files, with the heat of each line',
		make: makeSourceView,
	},
	heatmap: {
		label: 'Heat map',
		title: 'Seconds by their fractions: what comes back at regular times',
		make: makeHeatmap,
	},
	spans: {
		label: 'Spans',
		title: 'Requests, tasks and other parts of the work: how many, how long',
		make: makeSpans,
	},
	trust: {
		label: 'Trust',
		title: 'How the samples were taken, what was lost, how sure the numbers are',
		make: makeTrust,
	},
};
