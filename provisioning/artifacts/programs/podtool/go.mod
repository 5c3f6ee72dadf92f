module idcbench.build/podtool

go 1.21
