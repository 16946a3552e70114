"""A second opinion on finished plans: it shares no code with planning, so that it can disagree."""
