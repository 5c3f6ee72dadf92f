module idcbench.build/pause

go 1.21
