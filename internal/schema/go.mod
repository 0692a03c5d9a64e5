module example.com/upstream/internal/schema

go 1.25.0

require (
	example.com/upstream v0.0.0
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.2
	github.com/stretchr/testify v1.12.1
)

require golang.org/x/text v0.14.0 // indirect

require (
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/oauth2 v0.36.0 // indirect
)

replace example.com/upstream => ../..
