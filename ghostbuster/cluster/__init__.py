"""Past one machine: tables in parts that the workers of a Ray cluster do, each written whole or not at all.

`storage` and `inputs` are files at any address, `survey` and `parts` what there is to do, `plan` what a
folder of parts belongs to, `engine` the workers, `scoring` what they do for ``score-table``.
Imports `detector`, `tables` and what lies below.
"""
