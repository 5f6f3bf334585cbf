// SPDX-License-Identifier: MIT
import type { View } from '../app/app.js';

export function makeHeatmap(): View {
	return {
		mount(root) {
			root.textContent = 'heatmap: not yet';
		},
		update() {},
		help: [],
	};
}
