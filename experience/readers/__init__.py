"""What reads: the models, the operator's own words and topic terms, and which of them every process uses now."""
