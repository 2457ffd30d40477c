"""Pictures made by replicas on a Ray cluster. Only its processes and the page's link to it import Ray."""
