/** The parameters of a state check, by name. */
export interface RequirementShape {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** State checks a rule may name under `require`. Source: RULES 4.3. */
export const requirementChecks: Readonly<Record<string, RequirementShape>> = {
  'koji.tag_has_packages': { required: ['tag', 'packages'], optional: [] },
  'koji.no_open_builds': { required: ['tag'], optional: [] },
  'koji.builds_signed': { required: ['builds'], optional: ['keys'] },
  'koji.tag_exists': { required: ['tag'], optional: [] },
  'composes.finished': { required: ['series'], optional: ['none_running'] },
  'bodhi.update_status': { required: ['alias', 'is'], optional: [] },
  'time.window': { required: ['from', 'to'], optional: ['days', 'zone'] },
};
